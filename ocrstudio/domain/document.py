"""Documents and their pages."""

from dataclasses import dataclass
from enum import StrEnum


class DocumentKind(StrEnum):
    """Where the pages come from."""

    PDF = "pdf"
    IMAGE = "image"


class PageStatus(StrEnum):
    """How far the label of a page is. Only accepted pages go into a dataset by default."""

    UNLABELLED = "unlabelled"
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    FLAGGED = "flagged"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class Document:
    """A source that was copied into a workspace.

    Attributes:
        id: Row id in the workspace.
        name: Name shown to the user and used in file names; unique in the workspace.
        path: Path of the copy, or of the folder with the pictures of its pages, relative to the workspace,
            with forward slashes.
        kind: PDF or image.
        sha256: Hash of the source file's bytes; of a document made of pictures, of its name.
        page_count: Number of pages (frames for an image file).
        added: Unix time in seconds.
    """

    id: int
    name: str
    path: str
    kind: DocumentKind
    sha256: str
    page_count: int
    added: float


@dataclass(frozen=True)
class Page:
    """One page of a document.

    Attributes:
        id: Row id in the workspace.
        document_id: Its document.
        index: Zero-based position in the document; users are shown ``index + 1``. Pages that came as pictures
            may have gaps.
        width: Width in points (1/72 inch).
        height: Height in points.
        status: State of its label.
        revision_id: The current revision, or None.
        content_sha256: Hash of the rendered content, or None before the first rendering.
        note: Why it is flagged, failed or excluded, or empty.
    """

    id: int
    document_id: int
    index: int
    width: float
    height: float
    status: PageStatus
    revision_id: int | None
    content_sha256: str | None
    note: str
