"""Numbers in sentences, the same in the window, the command line and every message."""

from collections.abc import Sequence

_MINUTE, _HOUR = 60, 3600


def count_of(number: int, noun: str) -> str:
    """A number and its noun: ``1 page``, ``20,000 pages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_of(size: float) -> str:
    """A number of bytes as people say it: ``1.5 GiB``, ``3.0 MiB``."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def shortened(text: str, length: int = 60) -> str:
    """A text of at most that many characters; where something was cut off, it ends with ``…``."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def some_of(names: Sequence[str], most: int) -> str:
    """The first names of a list, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def printable(name: str) -> str:
    """A name from somebody else's file as one line: quoted and escaped where it holds control characters."""
    return name if name.isprintable() else repr(name)


def duration(seconds: float) -> str:
    """A length of time as people say it: ``42 s``, ``7 min 05 s``, ``3 h 20 min``."""
    hours, rest = divmod(max(0, round(seconds)), _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def time_left(seconds: float) -> str:
    """An estimate that does not jump about: ``about 40 s left``, ``about 3 min left``."""
    if seconds >= 2 * _MINUTE:
        return f"about {duration(round(seconds / _MINUTE) * _MINUTE).removesuffix(' 00 s')} left"
    return f"about {duration(max(1, seconds))} left"
