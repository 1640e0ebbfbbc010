"""Numbers in sentences, the same in the window, the command line and every message."""


def count_of(number: int, noun: str) -> str:
    """A number and its noun: ``1 page``, ``20,000 pages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
