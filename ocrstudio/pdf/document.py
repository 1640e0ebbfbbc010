"""Open a PDF or an image file, and render its pages."""

from __future__ import annotations  # numpy and Pillow are loaded with the first page, not before

import re
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import DocumentError, EncryptedDocumentError
from ocrstudio.pdf import engine
from ocrstudio.pdf.engine import Untyped
from ocrstudio.pdf.render import (
    DEFAULT_DPI,
    DEFAULT_MAX_PIXELS,
    MAX_SIDE,
    POINTS_PER_INCH,
    PageImage,
    capped_dpi,
)
from ocrstudio.pdf.sources import file_type

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ocrstudio.pdf.image_file import Orientation


_DECODED_BY_PILLOW = frozenset(
    {"webp", "gif"}
)  # MuPDF has no WebP, and of an animation it draws the last frame
_ERROR_CODE = re.compile(r"^code=\d+: ")


class PdfDocument:
    """An open document: a PDF, or an image file whose frames are its pages. Made by `open_document`.

    Page numbers are zero-based here; sentences for the user count from one. Safe to use from several threads
    (calls wait for each other); use processes to render in parallel.

    Attributes:
        path: The file.
        kind: PDF or image.
        warnings: What MuPDF complained about while opening (a repaired file, for instance).
        handle: PyMuPDF's document, for readers that need more of it; they hold `engine.lock`.
    """

    def __init__(self, path: Path, format_name: str, handle: Untyped, warnings: tuple[str, ...] = ()) -> None:
        self.path = path
        self.kind = DocumentKind.PDF if format_name == "pdf" else DocumentKind.IMAGE
        self.warnings = warnings
        self._format_name = format_name
        self.handle = handle
        self._page_count = int(handle.page_count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        with engine.lock:
            if not self.handle.is_closed:
                self.handle.close()

    @property
    def page_count(self) -> int:
        """Number of pages (frames of an image file); at least one."""
        return self._page_count

    def page_size(self, index: int) -> tuple[float, float]:
        """Width and height of a page in points, as it is shown (crop box and rotation applied).

        Raises:
            DocumentError: There is no such page, or it cannot be read.
        """
        with engine.collected_warnings():
            width, height = self._rect(index)
            if self.kind is DocumentKind.IMAGE and self._orientation(index).transposed:
                return height, width
            return width, height

    def render(self, index: int, dpi: float = DEFAULT_DPI, max_pixels: int = DEFAULT_MAX_PIXELS) -> PageImage:
        """Draw a page, annotations included, on white.

        The size is limited before anything is drawn, so that a poster needs no more memory than a page does.
        Frames of an image file are reduced if need be, never enlarged: that would only invent pixels.

        Args:
            index: Zero-based page.
            dpi: Resolution asked for.
            max_pixels: Most pixels that the result may have.

        Raises:
            DocumentError: There is no such page, or it cannot be drawn.
        """
        remarks: list[str] = []
        with engine.collected_warnings() as complaints:
            width, height = self._rect(index)
            wanted = dpi if self.kind is DocumentKind.PDF else min(dpi, self._native_dpi(index))
            used = capped_dpi(width, height, wanted, max_pixels)
            if used < wanted:
                remarks.append(self._cap_remark(index, (width, height), (dpi, used), max_pixels))
            pixels = self._draw(index, used)
            if self.kind is DocumentKind.IMAGE:
                from ocrstudio.pdf.image_file import upright

                pixels = upright(pixels, self._orientation(index))
        remarks.extend(f"Page {index + 1} of {self.path.name}: {text}" for text in complaints)
        return PageImage(pixels, used, tuple(remarks))

    def raw_page(self, index: int) -> Untyped:
        """PyMuPDF's page; the caller holds `engine.lock`.

        Raises:
            DocumentError: There is no such page, or its object is damaged.
        """
        if not 0 <= index < self._page_count:
            raise DocumentError(f"{self.path} has no page {index + 1}: it has {self._page_count}.")
        try:
            return self.handle.load_page(index)
        except engine.failures() as error:
            raise self._page_error(index, error) from error

    def _rect(self, index: int) -> tuple[float, float]:
        rect = self.raw_page(index).rect
        if not (rect.width > 0 and rect.height > 0):
            raise DocumentError(
                f"Page {index + 1} of {self.path} has no area ({rect.width:g} x {rect.height:g} pt)."
            )
        return rect.width, rect.height

    def _orientation(self, index: int) -> Orientation:
        from ocrstudio.pdf.image_file import orientation

        return orientation(self.path, self._format_name, index)

    def _native_dpi(self, index: int) -> float:
        from ocrstudio.pdf.image_file import native_dpi, require_sane_size

        require_sane_size(self.path, self._format_name, index)
        return native_dpi(self.raw_page(index))

    def _draw(self, index: int, dpi: float) -> npt.NDArray[np.uint8]:
        """RGB pixels of a page, without alpha."""
        import numpy as np

        pymupdf = engine.load()
        scale = dpi / POINTS_PER_INCH
        try:
            pixmap = self.raw_page(index).get_pixmap(
                matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False, annots=True
            )
            # `samples` is a copy that Python owns; the view `samples_mv` dangles once the pixmap is gone.
            samples = np.frombuffer(pixmap.samples, dtype=np.uint8)
            return samples.reshape(pixmap.height, pixmap.width, 3)
        except engine.failures() as error:
            raise self._page_error(index, error) from error

    def _page_error(self, index: int, error: BaseException) -> DocumentError:
        return DocumentError(
            f"Page {index + 1} of {self.path} cannot be drawn: {_ERROR_CODE.sub('', str(error))}.",
            "The file may be damaged there.",
        )

    def _cap_remark(
        self, index: int, size: tuple[float, float], resolution: tuple[float, float], max_pixels: int
    ) -> str:
        asked, used = resolution
        limit = f"{max_pixels / 1e6:.3g} megapixels (max_image_pixels in the settings)"
        if max(size) * used / POINTS_PER_INCH >= MAX_SIDE:
            limit = f"{MAX_SIDE:,} pixels a side"
        return (
            f"Page {index + 1} of {self.path.name} measures {size[0]:,.0f} x {size[1]:,.0f} pt: drawn at "
            f"{used:.3g} dpi instead of {asked:.4g} to stay within {limit}."
        )


def open_document(path: Path, password: str | None = None) -> PdfDocument:
    """Open a PDF or an image file; use the result as a context manager.

    Args:
        path: PDF, PNG, JPEG, TIFF (each frame is a page), BMP, or WebP and GIF (their first frame).
        password: For an encrypted PDF.

    Raises:
        EncryptedDocumentError: It needs a password, or this is the wrong one.
        DocumentError: It is missing, empty, damaged, of another type, or has no pages.
    """
    format_name = file_type(path)
    with engine.collected_warnings() as complaints:
        handle = _open_handle(path, format_name)
        try:
            _unlock(handle, path, password)
            _require_pages(handle, path)
        except BaseException:
            handle.close()
            raise
    return PdfDocument(path, format_name, handle, tuple(f"{path.name}: {text}" for text in complaints))


def _open_handle(path: Path, format_name: str) -> Untyped:
    """MuPDF's document."""
    pymupdf = engine.load()
    try:
        if format_name in _DECODED_BY_PILLOW:
            from ocrstudio.pdf.image_file import first_frame_as_png

            return pymupdf.open(stream=first_frame_as_png(path), filetype="png")
        return pymupdf.open(path, filetype=format_name)
    except engine.failures() as error:
        raise DocumentError(
            f"{path} cannot be opened: it is damaged or not a {format_name.upper()} file.",
            "Open it in a viewer; if that fails too, get a new copy.",
        ) from error


def _unlock(handle: Untyped, path: Path, password: str | None) -> None:
    if not handle.needs_pass:
        return
    if password is None:
        raise EncryptedDocumentError(
            f"{path} is encrypted and needs a password.", "Give its password (command line: --password)."
        )
    if not handle.authenticate(password):
        raise EncryptedDocumentError(f"The password given for {path} is wrong.", "Check it and try again.")


def _require_pages(handle: Untyped, path: Path) -> None:
    try:
        count = handle.page_count
    except engine.failures() as error:
        raise DocumentError(f"{path} is damaged: its pages cannot be counted.", "Get a new copy.") from error
    if count == 0:
        raise DocumentError(f"{path} has no pages.", "There is nothing in it to convert.")
