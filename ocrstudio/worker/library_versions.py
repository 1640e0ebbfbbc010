"""Whether the student's libraries are those that it was tried with; asked before they are imported.

The ranges are the ones of the package's own metadata (its extra ``train``), so that what pip installs and
what is said here cannot differ.
"""

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement

_OWN = "ocrstudio"
_EXTRA = "train"


@dataclass(frozen=True)
class Untried:
    """An installed library outside the range that was tried.

    Attributes:
        name: Of the distribution.
        installed: Its version here.
        tried: The range, as in the metadata.
    """

    name: str
    installed: str
    tried: str

    def in_words(self) -> str:
        """Name, version and the range."""
        return f"{self.name} {self.installed} (tried: {self.tried})"


def untried_libraries(requirements: Iterable[str] | None = None) -> list[Untried]:
    """Compare what is installed with what was tried.

    Args:
        requirements: In the form of PEP 508; None takes those of this package, none where it has no metadata.

    Returns:
        The libraries that differ. One that is not installed is not among them: its import says so better.
    """
    if requirements is None:
        try:
            requirements = importlib.metadata.requires(_OWN) or ()
        except importlib.metadata.PackageNotFoundError:
            return []
    found = (_compare(wanted) for wanted in map(Requirement, requirements) if _is_of_the_student(wanted))
    return [untried for untried in found if untried is not None]


def remark(untried: Iterable[Untried]) -> str:
    """One sentence about libraries that were never tried, or an empty text where there are none."""
    named = ", ".join(library.in_words() for library in untried)
    return f"OCR Studio was never tried with {named}; the run goes on. {how_to_return()}" if named else ""


def how_to_return() -> str:
    """What installs the tried versions."""
    return "What was tried: pip install 'ocrstudio[train]' (in a checkout: uv sync --extra train)."


def _is_of_the_student(wanted: Requirement) -> bool:
    """Whether a requirement holds on this machine, and only for the extra."""
    marker = wanted.marker
    return marker is not None and marker.evaluate({"extra": _EXTRA}) and not marker.evaluate({"extra": ""})


def _compare(wanted: Requirement) -> Untried | None:
    try:
        installed = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if wanted.specifier.contains(installed, prereleases=True):
        return None
    # ">" sorts behind "<": the lower end comes first.
    return Untried(wanted.name, installed, ",".join(sorted(map(str, wanted.specifier), reverse=True)))
