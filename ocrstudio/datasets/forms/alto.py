"""ALTO, as eScriptorium and libraries export it: blocks in reading order, a line for each line.

https://www.loc.gov/standards/alto/
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ocrstudio.datasets.forms.xml_files import xml_form
from ocrstudio.datasets.record import ProblemKind, RecordError


def _page(root: Element) -> tuple[str, str]:
    pages = root.findall("Layout/Page")
    if len(pages) != 1:
        raise RecordError(ProblemKind.NOT_XML, f"it has {len(pages)} pages; one with one picture can be used")
    blocks = list(pages[0].iter("TextBlock"))
    place = {name: number for number, name in enumerate(_reading_order(root))}
    blocks.sort(key=lambda block: place.get(block.get("ID", ""), len(place)))
    name = root.findtext("Description/sourceImageInformation/fileName") or ""
    return name.strip(), "\n\n".join(filter(None, map(_block, blocks)))


def _reading_order(root: Element) -> Iterator[str]:
    """Ids of blocks, where the file has an order of its own (from ALTO 4.3 on)."""
    order = root.find("ReadingOrder")
    if order is not None:
        yield from (element.get("REF", "") for element in order.iter("ElementRef"))


def _block(block: Element) -> str:
    return "\n".join(filter(None, map(_line, block.findall("TextLine"))))


def _line(line: Element) -> str:
    """The strings of a line; where it marks no blanks, one stands between each two."""
    marked = line.find("SP") is not None
    parts: list[str] = []
    for element in line:
        if element.tag == "String":
            if parts and not marked:
                parts.append(" ")
            parts.append(element.get("CONTENT", ""))
        elif element.tag == "SP":
            parts.append(" ")
        elif element.tag == "HYP":
            parts.append(element.get("CONTENT", "-"))
    return "".join(parts).strip()


FORM = xml_form(
    word="alto",
    name="ALTO XML",
    example='p.xml with <alto>…<fileName>p.png</fileName>…<String CONTENT="Title"/>…, and p.png',
    root="alto",
    page=_page,
)
