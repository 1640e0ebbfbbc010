"""A text with the signs that prose seldom has: amounts, degrees, sections, fractions, quotations, names."""

import random
from collections.abc import Callable, Sequence

_LINES = 6_000
_SEED = 20
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNITS = ("kg", "km", "mm", "cm", "m", "g", "t", "l", "ml", "kW", "MHz", "GB", "kg/m", "km/h")
_QUOTES = (("“", "”"), ("‘", "’"), ("«", "»"), ("„", "“"))  # noqa: RUF001 (these are the signs of print)
_DASH, _TIMES = "–", " × "  # noqa: RUF001 (and these)
_OPENINGS = (
    "The total is",
    "It was sold for",
    "They paid",
    "The repair came to",
    "Balance brought forward:",
    "Shipping adds",
    "The deposit of",
    "Less a discount of",
    "The budget rose by",
)
_THINGS = (
    "the bridge",
    "the sample",
    "the parcel",
    "the beam",
    "the tank",
    "the field",
    "the model",
    "the route",
)


def write_figures(names: Sequence[str]) -> list[str]:
    """Sentences; the same for the same names.

    Args:
        names: Words with a capital, to be used for people, places and firms.
    """
    source = random.Random(_SEED)  # noqa: S311 (text, not cryptography)
    return [source.choice(_WRITERS)(source, names) for _ in range(_LINES)]


def _money(source: random.Random, names: Sequence[str]) -> str:
    amount = f"{source.randint(0, 10 ** source.randint(1, 6)):,}.{source.randint(0, 99):02}"
    sign = source.choice("€€££$¥")
    shown = source.choice((f"{sign}{amount}", f"{amount} {sign}"))
    opening = source.choice(_OPENINGS)
    return f"{opening} {shown}{source.choice(('', ' (incl. VAT)', f', due in {_name(source, names)}'))}."


def _degrees(source: random.Random, names: Sequence[str]) -> str:
    return source.choice(
        (
            f"In {_name(source, names)} it was {source.randint(-30, 45)} °C at {_clock(source)}.",
            f"{_name(source, names)} lies at {_angle(source, 89)} {source.choice('NS')}, "
            f"{_angle(source, 179)} {source.choice('EW')}.",
            f"Turn it by {source.choice((15, 30, 45, 90, 180))}° and heat to {source.randint(100, 250)} °C.",
        )
    )


def _sections(source: random.Random, names: Sequence[str]) -> str:
    section = f"§ {source.randint(1, 999)}"
    return source.choice(
        (
            f"See {section} ({source.randint(1, 9)}) of the {_name(source, names)} Act of {_year(source)}.",
            f"§§ {_range(source, 99)} apply to {_name(source, names)}.",
            f"{section}. {_name(source, names)} · {_name(source, names)} · {_name(source, names)}",
        )
    )


def _measures(source: random.Random, _: Sequence[str]) -> str:
    thing, unit = source.choice(_THINGS), source.choice(_UNITS)
    number, width, height = (source.randint(1, 999) for _ in range(3))
    return source.choice(
        (
            f"For {thing} we measured {number}.{source.randint(0, 9)} ± 0.{source.randint(1, 9)} {unit}.",
            f"{thing.capitalize()} is {_TIMES.join(map(str, (number, width, height)))} {unit}.",
            f"Take {source.randint(1, 9)}½ {unit} of it, or {number} ÷ {source.randint(2, 9)} {unit}.",
        )
    )


def _quotation(source: random.Random, names: Sequence[str]) -> str:
    opening, closing = source.choice(_QUOTES)
    words = " ".join(source.choice(names) for _ in range(source.randint(1, 4)))
    return source.choice(
        (
            f"{opening}{words}{closing} — so {_name(source, names)} called it in {_year(source)}.",
            f"{_name(source, names)} wrote to {_name(source, names)}: {opening}{words} …{closing}",
            f"{opening}{words}!{closing} cried {_name(source, names)}; {opening}{words}?{closing} asked he.",
        )
    )


def _imprint(source: random.Random, names: Sequence[str]) -> str:
    sign = source.choice(("©", "©", "®"))
    day = f"{source.randint(1, 28)} {source.choice(_MONTHS)} {_year(source)}"
    return source.choice(
        (
            f"{sign} {_years(source)} {_name(source, names)} & {_name(source, names)} Ltd.",
            f"{_name(source, names)}, {_name(source, names)} & {_name(source, names)} ({_year(source)}), "
            f"pp. {_range(source, 300)}.",
            f"• {_name(source, names)}, {day}, {_clock(source)}",
        )
    )


def _spanish(source: random.Random, names: Sequence[str]) -> str:
    return source.choice(
        (
            f"¿{_name(source, names)}, {_name(source, names)}?",
            f"¡{_name(source, names)} {source.randint(1, 99)}!",
        )
    )


def _name(source: random.Random, names: Sequence[str]) -> str:
    return source.choice(names)


def _range(source: random.Random, most: int) -> str:
    return f"{source.randint(1, most)}{_DASH}{source.randint(most + 1, 2 * most)}"


def _angle(source: random.Random, most: int) -> str:
    return f"{source.randint(0, most)}° {source.randint(0, 59)}'"


def _year(source: random.Random) -> int:
    return source.randint(1750, 2030)


def _years(source: random.Random) -> str:
    first, last = sorted((_year(source), _year(source)))
    return f"{first}{_DASH}{last}"


def _clock(source: random.Random) -> str:
    return f"{source.randint(0, 23)}:{source.randint(0, 59):02}"


_WRITERS: tuple[Callable[[random.Random, Sequence[str]], str], ...] = (
    _money,
    _money,
    _degrees,
    _sections,
    _measures,
    _quotation,
    _quotation,
    _imprint,
    _imprint,
    _spanish,
)
