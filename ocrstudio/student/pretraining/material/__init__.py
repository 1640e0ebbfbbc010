"""Make what the reader is trained from: fonts, texts and a tokenizer, from packages of Debian alone.

The table of packages is ``packages.yaml``. Nothing here needs torch.
"""
