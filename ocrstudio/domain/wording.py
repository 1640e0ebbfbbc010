"""Numbers in sentences, the same in the window, the command line and every message."""


def count_of(number: int, noun: str) -> str:
    """A number and its noun: ``1 page``, ``20,000 pages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_of(size: float) -> str:
    """A number of bytes as people say it: ``1.5 GiB``, ``3.0 MiB``."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def shortened(text: str, length: int = 60) -> str:
    """A text of at most that many characters; where something was cut off, it ends with ``…``."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def printable(name: str) -> str:
    """A name from somebody else's file as one line: quoted and escaped where it holds control characters."""
    return name if name.isprintable() else repr(name)
