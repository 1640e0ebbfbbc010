"""What is painted over text after it was written: bars over names, pictures over an older text."""

from collections import defaultdict
from dataclasses import dataclass, field

from ocrstudio.pdf import engine
from ocrstudio.pdf.engine import Untyped

_MIN_SIDE = 4.0  # points: less covers no letter
_MOST_COVERS = 1500
_INK_DPI = 100
_INK = 48  # levels of grey between the darkest and the lightest pixel of a letter's box

Box = tuple[float, float, float, float]


@dataclass
class Covers:
    """Characters that something painted later hides.

    Attributes:
        hidden: Their places, by character: the origin as PyMuPDF's trace has it.
        picture_coverage: Share of the page that its largest picture covers.
    """

    hidden: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    picture_coverage: float = 0.0

    def hide(self, char: Untyped) -> bool:
        """Whether this character of a ``rawdict`` is hidden."""
        places = self.hidden.get(ord(char["c"][0])) if self.hidden and char["c"] else None
        x, y = char["origin"]
        return any(abs(x - u) < 0.5 and abs(y - v) < 0.5 for u, v in places or ())  # noqa: PLR2004


def find_covers(page: Untyped) -> Covers:
    """Look for pictures without transparency and for filled areas that were painted over text.

    A filled area is known by its box only, and may blend: a letter under which ink is left is not hidden.
    """
    log = page.get_bboxlog()
    areas = [
        (number, kind, box)
        for number, (kind, box, *_) in enumerate(log)
        if kind in ("fill-image", "fill-path") and box[2] - box[0] > _MIN_SIDE and box[3] - box[1] > _MIN_SIDE
    ]
    covers = Covers(
        picture_coverage=max(
            (_share(box, page.rect) for _, kind, box in areas if kind == "fill-image"), default=0.0
        )
    )
    first_text = next((number for number, (kind, *_) in enumerate(log) if "text" in kind), len(log))
    areas = [area for area in areas if area[0] > first_text][-_MOST_COVERS:]
    if not areas:
        return covers
    masked = _masked_pictures(page)
    ink = None
    for span in page.get_texttrace():
        later = [area for area in areas if area[0] > span["seqno"] and _meet(area[2], span["bbox"])]
        for code, _, origin, box in span["chars"] if later else ():
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            over = [kind for _, kind, area in later if area[0] <= x <= area[2] and area[1] <= y <= area[3]]
            opaque = any(
                kind == "fill-image"
                and area not in masked
                and area[0] <= x <= area[2]
                and area[1] <= y <= area[3]
                for _, kind, area in later
            )
            if not over:
                continue
            if not opaque:
                ink = ink or _Ink(page)
            if opaque or (ink is not None and not ink.under(box)):
                covers.hidden[code].append(origin)
    return covers


class _Ink:
    """The page in grey."""

    def __init__(self, page: Untyped) -> None:
        import numpy as np

        pymupdf = engine.load()
        self._scale = _INK_DPI / 72
        pixmap = page.get_pixmap(dpi=_INK_DPI, colorspace=pymupdf.csGRAY, alpha=False)
        self._grey = np.frombuffer(pixmap.samples, dtype=np.uint8).reshape(pixmap.height, pixmap.width)

    def under(self, box: Box) -> bool:
        """Whether something can be seen in this box."""
        x0, y0, x1, y1 = (round(value * self._scale) for value in box)
        part = self._grey[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1]
        return part.size == 0 or int(part.max()) - int(part.min()) >= _INK


def _masked_pictures(page: Untyped) -> set[Box]:
    return {tuple(info["bbox"]) for info in page.get_image_info() if info.get("has-mask")}


def _share(box: Box, page: Untyped) -> float:
    """The share of the page that a box covers."""
    width = min(box[2], page.x1) - max(box[0], page.x0)
    height = min(box[3], page.y1) - max(box[1], page.y0)
    return float(max(0.0, width) * max(0.0, height) / (page.width * page.height))


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
