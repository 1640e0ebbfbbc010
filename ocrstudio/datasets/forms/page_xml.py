"""PAGE XML, as Transkribus and eScriptorium export it: regions in reading order, a line for each line.

https://github.com/PRImA-Research-Lab/PAGE-XML
"""

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from ocrstudio.datasets.forms.xml_files import xml_form
from ocrstudio.datasets.record import ProblemKind, RecordError

_CUSTOM = re.compile(r"readingOrder\s*\{[^}]*?index\s*:\s*(\d+)")  # Transkribus says it in the lines
_GROUPS = ("OrderedGroup", "OrderedGroupIndexed", "UnorderedGroup", "UnorderedGroupIndexed")
_LAST = 10**9


def _page(root: Element) -> tuple[str, str]:
    found = root.find("Page")
    if found is None:
        raise RecordError(ProblemKind.NOT_XML, "it has no Page")
    return found.get("imageFilename", ""), _text(found)


def _text(found: Element) -> str:
    place = {name: number for number, name in enumerate(_reading_order(found.find("ReadingOrder")))}

    def order(region: Element) -> int:
        return place.get(region.get("id", ""), _LAST) if place else _custom_index(region)

    return "\n\n".join(filter(None, map(_region, _nested(found, order))))


def _nested(parent: Element, order: Callable[[Element], int]) -> Iterator[Element]:
    """The regions below an element in order, each before those inside it."""
    for region in sorted((child for child in parent if child.tag.endswith("Region")), key=order):
        yield region
        yield from _nested(region, order)


def _reading_order(parent: Element | None) -> Iterator[str]:
    """Ids of regions in the order of the groups."""
    if parent is None:
        return
    children = [child for child in parent if child.tag in _GROUPS or child.tag.startswith("RegionRef")]
    for child in sorted(children, key=_index):
        if (name := child.get("regionRef")) is not None:
            yield name
        yield from _reading_order(child)


def _index(element: Element) -> int:
    value = element.get("index", "")
    return int(value) if value.isdecimal() else _LAST


def _custom_index(element: Element) -> int:
    found = _CUSTOM.search(element.get("custom", ""))
    return int(found[1]) if found else _LAST


def _region(region: Element) -> str:
    lines = sorted(region.findall("TextLine"), key=_custom_index)
    texts = [_line(line) for line in lines]
    return "\n".join(filter(None, texts)) if any(texts) else _equivalent(region)


def _line(line: Element) -> str:
    text = _equivalent(line)
    return text or " ".join(filter(None, map(_equivalent, line.findall("Word"))))


def _equivalent(element: Element) -> str:
    """The text of an element: of several versions the one with the lowest index."""
    versions = sorted(element.findall("TextEquiv"), key=_index)
    for version in versions:
        text = (version.findtext("Unicode") or version.findtext("PlainText") or "").strip()
        if text:
            return text
    return ""


FORM = xml_form(
    word="page",
    name="PAGE XML",
    example='p.xml with <PcGts>…<Page imageFilename="p.png">…<Unicode>Title</Unicode>…, and p.png',
    root="PcGts",
    page=_page,
)
