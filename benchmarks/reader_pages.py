"""Pages with known text for `benchmarks/reader.py`: held-out cards, and the demo document."""

import random
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

from ocrstudio.pdf.document import open_document
from ocrstudio.pdf.render import write_page_image
from ocrstudio.settings.app import load_app_settings
from ocrstudio.student.pretraining.gates import SETS
from ocrstudio.student.pretraining.pages import PROMPTS, PageMaker, find_faces
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.synthesis.blocks import Block, Heading, Listing, Paragraph, Table, plain
from ocrstudio.synthesis.markdown import to_markdown
from ocrstudio.synthesis.vocabulary import read_vocabulary

DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo"
CARDS = ("clean", "degraded", "random", "tables")
_SEED = 11
_NEW_PAGE = "<!-- new page"


@dataclass(frozen=True)
class TruePage:
    """A picture with its label."""

    name: str
    file: Path
    label: str


def cards(material: Path, tokenizer: OcrTokenizer, count: int, folder: Path) -> dict[str, list[TruePage]]:
    """Sets of cards of 300 to 900 characters, the same for the same material."""
    texts = sorted((material / "held_out_texts").glob("*.txt"))
    maker = PageMaker(tokenizer, read_vocabulary(texts), find_faces(material / "held_out_fonts"))
    sets = {}
    for name in CARDS:
        source = random.Random(f"{_SEED}/{name}")
        pages = []
        for number in range(1, count + 1):
            page = maker.make(source, SETS[name], (2, 3), PROMPTS[0])
            file = folder / f"{name}_p{number}.png"
            Image.fromarray(page.pixels).convert("RGB").save(file)
            pages.append(TruePage(file.stem, file, page.answer))
        sets[name] = pages
    return sets


def demo_pages(folder: Path, most: int | None = None) -> list[TruePage]:
    """The demo document as the product renders it, with the Markdown of its source."""
    labels = demo_labels()
    settings = load_app_settings()
    pages = []
    with open_document(DEMO / "labelling-handbook.pdf") as document:
        for index, label in enumerate(labels[:most]):
            file = folder / f"demo_p{index + 1}.png"
            write_page_image(document.render(index, settings.default_dpi), file)
            pages.append(TruePage(file.stem, file, label))
    return pages


def demo_labels() -> list[str]:
    """The Markdown of each page of the demo document."""
    source = (DEMO / "labelling-handbook.html").read_text("utf-8")
    parts = [
        part.split("-->", 1)[-1] if number else part for number, part in enumerate(source.split(_NEW_PAGE))
    ]
    return [to_markdown(_blocks(part)).strip() for part in parts]


def _blocks(source: str) -> tuple[Block, ...]:
    reader = _Reader()
    reader.feed(source)
    return tuple(reader.blocks)


class _Reader(HTMLParser):
    """The few elements that the document uses."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._items: list[str] = []
        self._rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 (the library's signature)
        self._text = []
        if tag == "tr":
            self._rows.append([])

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag == "p":
            self.blocks.append(Paragraph(plain(text)))
        elif tag in ("h1", "h2", "h3"):
            self.blocks.append(Heading(int(tag[1]), plain(text)))
        elif tag == "li":
            self._items.append(text)
        elif tag in ("ul", "ol"):
            self.blocks.append(Listing(tuple(map(plain, self._items)), ordered=tag == "ol"))
            self._items = []
        elif tag in ("td", "th"):
            self._rows[-1].append(text)
        elif tag == "table":
            self.blocks.append(Table(tuple(tuple(map(plain, row)) for row in self._rows)))
            self._rows = []
