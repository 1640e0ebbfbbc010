"""Text that any file and any database can hold."""


def storable(text: str) -> str:
    r"""Join surrogate pairs and replace lone ones.

    JSON may name half a character (``"\ud800"``), and a model that was cut off may write one. UTF-8 and
    SQLite refuse it, and a label is not to be lost to one character.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
