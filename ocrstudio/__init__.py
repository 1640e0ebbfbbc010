"""OCR Studio: a desktop workbench and a command line for fine-tuning DeepSeek-OCR by pseudo labelling.

Start reading at docs/architecture.md; the docstrings of the folders say what each is for and must not do.
"""

from ocrstudio.privacy import keep_to_ourselves

__version__ = "0.1.0"

keep_to_ourselves()  # before any library is imported; see there
