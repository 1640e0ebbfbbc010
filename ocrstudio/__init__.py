"""OCR Studio: a desktop workbench and a command line for fine-tuning DeepSeek-OCR by pseudo labelling.

Start reading at docs/architecture.md; the layers and what each folder must not do are in the folders' docstrings.
"""

__version__ = "0.1.0"
