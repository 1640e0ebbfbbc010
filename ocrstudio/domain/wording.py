"""Numbers in sentences, the same in the window, the command line and every message."""

import time
from collections.abc import Sequence

_MINUTE, _HOUR = 60, 3600
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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


def moment_in_words(unix_time: float, now: float | None = None, *, seconds: bool = False) -> str:
    """A local time: ``14:05`` of today, ``26 Nov 14:05`` of this year, ``26 Nov 2025 14:05`` of another.

    Args:
        unix_time: The time.
        now: What today is; None for the clock's.
        seconds: Whether seconds are said, too.
    """
    then, today = time.localtime(unix_time), time.localtime(now)
    clock = time.strftime("%H:%M:%S" if seconds else "%H:%M", then)
    if then[:3] == today[:3]:
        return clock
    day = f"{then.tm_mday} {_MONTHS[then.tm_mon - 1]}"  # %b follows the locale, the window is English
    return f"{day} {clock}" if then.tm_year == today.tm_year else f"{day} {then.tm_year} {clock}"


def time_left(seconds: float) -> str:
    """An estimate that does not jump about: ``about 40 s left``, ``about 3 min left``."""
    if seconds >= 2 * _MINUTE:
        return f"about {duration(round(seconds / _MINUTE) * _MINUTE).removesuffix(' 00 s')} left"
    return f"about {duration(max(1, seconds))} left"
