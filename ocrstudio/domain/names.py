"""Names of files and pages in one Unicode form: a Mac writes an accent as a letter and a mark of its own."""

import unicodedata


def nfc(name: str) -> str:
    """A name in the composed form, so that names from any machine compare."""
    return unicodedata.normalize("NFC", name)
