r"""Grounding output: ``<|ref|>LABEL<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>``, then the content.

In document output the label is a layout class and the content follows; in OCR and locate output the label is
the text itself. An image has no content and leaves nothing in the Markdown: a link would name a file that
does not exist, and a student trained on the label would learn to write it. Its boxes stay, as a region.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ocrstudio.domain.region import Box, Region
from ocrstudio.postprocess.boxes import parse_boxes
from ocrstudio.postprocess.processed import (
    BAD_BOX,
    STRAY_TAG,
    TRUNCATED_TAG,
    Processed,
    trimmed,
    with_flags,
)

REF, END_REF, DET, END_DET = "<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>"
_TAG = re.compile(r"<\|/?(?:ref|det)\|>")
_LISTS = re.compile(r"\s*\[?\s*(?:\[[\d\s,.\-]*\](?:\s*,)?\s?)*\]?")
_COORDINATE_CHARACTERS = re.compile(r"[\s\[\]\d,.\-]*")
_WORD = re.compile(r"[^\W\d_]{4}")
_PARTIAL_TAG = re.compile(r"<\|/?[a-z]{0,20}\|?\Z")
_LONGEST_PARTIAL_TAG = 26
_CLASS_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")

# Classes seen in real outputs; there is no official list, so document output may hold others.
LAYOUT_CLASSES = frozenset(
    {
        "title",
        "sub_title",
        "text",
        "list",
        "code",
        "reference",
        "equation",
        "header",
        "footer",
        "page_number",
        "image",
        "image_caption",
        "figure",
        "figure_caption",
        "table",
        "table_caption",
        "table_footnote",
    }
)


@dataclass(frozen=True)
class _Tag:
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class _Reference:
    """A complete ``<|ref|>…<|/ref|>`` with its coordinates, if any.

    Attributes:
        label: What stands between the ref tags.
        boxes: What could be read of the coordinates.
        start: Where it starts in the raw text.
        end: Where its content starts.
        tags: How many tags it takes up.
        flags: What is wrong with it.
    """

    label: str
    boxes: tuple[Box, ...]
    start: int
    end: int
    tags: int
    flags: tuple[str, ...]


def extract_document(processed: Processed) -> Processed:
    """Take the tags out of document output; where most labels are no classes it is read as OCR output."""
    return _extract(processed, _labels_are_classes)


def extract_ocr(processed: Processed) -> Processed:
    """Take the tags out of OCR and locate output: the labels are the text."""
    return _extract(processed, lambda _: False)


def _labels_are_classes(references: Sequence[_Reference]) -> bool:
    known = sum(reference.label in LAYOUT_CLASSES for reference in references)
    return known * 2 > len(references)


def _extract(processed: Processed, is_document: Callable[[Sequence[_Reference]], bool]) -> Processed:
    text, truncated = _without_partial_tag(processed.text)
    parts = _Parser(text).parts()
    if not parts and not truncated:
        return processed
    references = [part for part in parts if isinstance(part, _Reference)]
    strays = [part for part in parts if isinstance(part, _Tag)]
    document = is_document(references)
    if document and strays and strays[-1] is parts[-1] and strays[-1].kind == REF:
        label = text[strays[-1].end :].strip()
        if not label or _CLASS_NAME.fullmatch(label):  # the output ends within the name of a class
            text, truncated = text[: strays[-1].end], True
            strays.pop()
    assembly = _Assembly(document)
    position = 0
    for part in parts:
        assembly.add(text[position : part.start])
        position = part.end
        if isinstance(part, _Reference):
            assembly.add_reference(part)
    assembly.add(text[position:])
    markdown, regions = assembly.finish()
    flags = {flag for reference in references for flag in reference.flags}
    flags |= {STRAY_TAG} if strays else set()
    flags |= {TRUNCATED_TAG} if truncated else set()
    return Processed(markdown, (*processed.regions, *regions), with_flags(processed.flags, *sorted(flags)))


class _Assembly:
    """The Markdown under construction, and the regions with their spans in it."""

    def __init__(self, document: bool) -> None:
        self._document = document
        self._pieces: list[str] = []
        self._length = 0
        self._regions: list[Region] = []
        self._open: tuple[_Reference, int] | None = None

    def add(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._length += len(text)

    def add_reference(self, reference: _Reference) -> None:
        """A class opens a region for the content that follows; a text is written on a line of its own."""
        self._close()
        if self._document and _CLASS_NAME.fullmatch(reference.label):
            self._open = (reference, self._length)
            return
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self.add("\n")
        start = self._length
        self.add(reference.label.strip())
        self._add_region(reference, start)

    def finish(self) -> tuple[str, tuple[Region, ...]]:
        """The Markdown and the regions, their spans without white space at the ends."""
        self._close()
        markdown = "".join(self._pieces)
        spans = [trimmed(markdown, region.start, region.end) for region in self._regions]
        regions = (
            Region(region.label, region.boxes, *span)
            for region, span in zip(self._regions, spans, strict=True)
        )
        return markdown, tuple(regions)

    def _close(self) -> None:
        if self._open is not None:
            self._add_region(*self._open)
        self._open = None

    def _add_region(self, reference: _Reference, start: int) -> None:
        if reference.boxes:
            self._regions.append(Region(reference.label.strip(), reference.boxes, start, self._length))


class _Parser:
    """Groups the tags of a text to references where they fit together, in one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tags = [_Tag(match.group(), match.start(), match.end()) for match in _TAG.finditer(text)]
        self._content_end = len(text.rstrip())

    def parts(self) -> list[_Reference | _Tag]:
        """References, and tags that belong to none (a lone ``<|det|>`` with its coordinates), in order."""
        parts: list[_Reference | _Tag] = []
        index = 0
        while index < len(self._tags):
            tag = self._tags[index]
            reference = self._reference(index)
            if reference is not None:
                parts.append(reference)
                index += reference.tags
                continue
            end = self._coordinates(index)[0] if tag.kind == DET else tag.end
            parts.append(_Tag(tag.kind, tag.start, end))
            index += 1
        return parts

    def _reference(self, index: int) -> _Reference | None:
        tags = self._tags[index : index + 3]
        if [tag.kind for tag in tags[:2]] != [REF, END_REF]:
            return None
        label, start, end = self._text[tags[0].end : tags[1].start], tags[0].start, tags[1].end
        if [tag.kind for tag in tags[2:]] != [DET] or self._text[end : tags[2].start].strip():
            return _Reference(label, (), start, end, 2, (self._incomplete(end),))
        coordinates_end, closed = self._coordinates(index + 2)
        coordinates = self._text[tags[2].end : coordinates_end]
        if not closed:
            # The last list may be cut within a number.
            boxes, _ = parse_boxes(coordinates[: coordinates.rfind("]") + 1])
            return _Reference(label, boxes, start, coordinates_end, 3, (self._incomplete(coordinates_end),))
        boxes, clean = parse_boxes(coordinates)
        flags = () if clean else (BAD_BOX,)
        return _Reference(label, boxes, start, self._tags[index + 3].end, 4, flags)

    def _incomplete(self, end: int) -> str:
        return TRUNCATED_TAG if end >= self._content_end else STRAY_TAG

    def _coordinates(self, index: int) -> tuple[int, bool]:
        """Where the coordinates of a ``<|det|>`` end, and whether a ``<|/det|>`` closes them there."""
        start = self._tags[index].end
        following = self._tags[index + 1] if index + 1 < len(self._tags) else None
        limit = following.start if following else len(self._text)
        body = self._text[start:limit]
        if following is not None and following.kind == END_DET and not _WORD.search(body):
            return limit, True
        if following is None and _COORDINATE_CHARACTERS.fullmatch(body):
            return limit, False
        lists = _LISTS.match(body)
        return start + len(lists.group().rstrip() if lists else ""), False


def _without_partial_tag(text: str) -> tuple[str, bool]:
    """Cut off a tag that the end of the output broke, such as ``<|re``, in output that has whole tags."""
    if REF not in text:
        return text, False
    text = text.rstrip()
    match = _PARTIAL_TAG.search(text, max(0, len(text) - _LONGEST_PARTIAL_TAG))
    return (text, False) if match is None else (text[: match.start()], True)
