"""What a teacher is, what it is given and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from ocrstudio.domain.region import Region
from ocrstudio.pdf import DEFAULT_DPI, DEFAULT_MAX_PIXELS, DEFAULT_PAGE_SECONDS
from ocrstudio.tasks import Task

TRUNCATED: Final = "truncated"
"""Flag: the output ended at the token limit."""

RUNAWAY: Final = "runaway"
"""Flag: the output repeats itself without end."""

REFUSAL: Final = "refusal"
"""Flag: the model declined instead of transcribing."""

TALK: Final = "talk"
"""Flag: words of the model itself may be left in the text, or words of the page were taken off with them."""

DOUBTFUL: Final = "doubtful"
"""Flag: parts of the page were read with low confidence."""


INCOMPLETE: Final = "incomplete"
"""Flag: the page has much more text than the draft."""

UNFOUNDED: Final = "unfounded"
"""Flag: the draft has much more text than the page."""


@dataclass(frozen=True)
class PageSource:
    """Where a teacher finds a page: an image, a document, or both.

    Attributes:
        key: Name of the page in messages, such as ``report.pdf, page 3``.
        image: A picture of the page, or None when it has to be rendered.
        document: The PDF or image file, or None when there is only a picture.
        page_index: Zero-based page (or frame) of the document.
        password: Password of the document, or None; never shown.
        dpi: Resolution at which a model gets the page when it has to be rendered.
        max_pixels: Most pixels of the rendered page; a larger one is drawn at a lower resolution.
        max_seconds: Longest time that drawing or reading it on this computer may take.
    """

    key: str
    image: Path | None = None
    document: Path | None = None
    page_index: int = 0
    password: str | None = field(default=None, repr=False)
    dpi: float = DEFAULT_DPI
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_seconds: float = DEFAULT_PAGE_SECONDS


@dataclass(frozen=True)
class Draft:
    """A label that a teacher proposes for one page.

    Attributes:
        text: Post-processed Markdown.
        raw: The output as it came.
        regions: Boxes found in the raw output.
        prompt: The exact prompt sent, or empty for a teacher that takes none.
        parameters: Model, generation parameters and measurements; never a key or password.
        flags: Reasons to look at this draft first (``truncated``, ``runaway``, ``refusal``, ``talk``,
            ``doubtful``).
        remarks: Sentences about how the page was read: a reduced resolution, what MuPDF complained about.
        seconds: Time the page took, waiting for a free slot not included.
    """

    text: str
    raw: str = ""
    regions: tuple[Region, ...] = ()
    prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0


class Teacher(Protocol):
    """Anything that drafts the label of a page.

    Attributes:
        id: Short name, stored as the source of the revision (``offline``, ``api:<model>``, ``student``).
        concurrency: Pages it can work on at the same time.
        network: Whether page images leave this computer or travel over a network.
    """

    @property
    def id(self) -> str:
        """Short name."""

    @property
    def concurrency(self) -> int:
        """Pages it wants in hand at the same time."""

    @property
    def network(self) -> bool:
        """Whether pages leave this process over a network."""

    async def open(self) -> None:
        """Acquire what it needs (client, child process)."""

    async def draft(self, page: PageSource, task: Task) -> Draft:
        """Draft the label of one page.

        Raises:
            OcrStudioError: One sentence about this page or about the teacher.
        """

    async def close(self) -> None:
        """Release everything; safe to call twice and after a failed `open`."""
