"""The network: SAM and CLIP encoders, assembly of image features, text model and answer loss.

Only arithmetic: no files, no pictures, no tokenizer. SAM and the mixture-of-experts text model are the
library's ``deepseek_ocr2`` parts; what DeepSeek-OCR version 1 needs besides is written here.
"""
