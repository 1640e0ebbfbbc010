"""Labels: the Markdown of a page, kept as immutable revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocrstudio.domain.region import Region

HUMAN = "human"
IMPORT = "import"


def teacher_source(teacher_id: str) -> str:
    """The source of a revision that a teacher drafted."""
    return f"teacher:{teacher_id}"


def student_source(run_id: str) -> str:
    """The source of a revision that a student of a run predicted."""
    return f"student:{run_id}"


def source_in_words(source: str) -> str:
    """Who wrote a revision, in words: ``teacher:offline`` becomes ``teacher offline``."""
    fixed = {HUMAN: "you", IMPORT: "imported dataset"}
    return fixed.get(source, source.replace(":", " ", 1))


@dataclass(frozen=True)
class NewRevision:
    """A revision before the store gave it an id. See `Revision` for the fields."""

    text: str
    source: str
    task: str = ""
    prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class Revision:
    """One immutable version of a label.

    Attributes:
        id: Row id in the workspace.
        page_id: Its page.
        text: The Markdown.
        source: ``human``, ``import``, ``teacher:<id>`` or ``student:<run>``.
        task: Task id, or empty.
        prompt: The exact prompt sent, or empty.
        parameters: Generation parameters and measurements (model, temperature, seconds, …); never a key or
            password.
        raw: Model output before post-processing, or empty.
        regions: Boxes found in the raw output.
        created: Unix time in seconds.
    """

    id: int
    page_id: int
    text: str
    source: str
    task: str
    prompt: str
    parameters: Mapping[str, Any]
    raw: str
    regions: tuple[Region, ...]
    created: float
