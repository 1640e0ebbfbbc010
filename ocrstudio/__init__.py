"""OCR Studio: a desktop workbench and a command line for fine-tuning DeepSeek-OCR by pseudo labelling.

Start reading at docs/architecture.md; the docstrings of the folders say what each is for and must not do.
"""

__version__ = "0.1.0"
