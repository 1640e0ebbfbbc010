"""Folders of pages: a picture, and a text file of the same name beside it; olmOCR's with front matter."""

from collections.abc import Iterator
from pathlib import Path

from ocrstudio.datasets.conversation import MARKDOWN_PROMPT, PLAIN_PROMPT, Conversation, Picture, page
from ocrstudio.datasets.forms.form import FileForm, Item
from ocrstudio.datasets.forms.front_matter import has_front_matter, text_of_page
from ocrstudio.datasets.forms.page_files import PICTURES, files_below, page_key
from ocrstudio.datasets.record import ProblemKind, RecordError

_PROMPTS = {".md": MARKDOWN_PROMPT, ".markdown": MARKDOWN_PROMPT, ".txt": PLAIN_PROMPT}
_TEXTS = frozenset(_PROMPTS)
_DRAWN = frozenset((".pdf",))
_MAX_TEXT_BYTES = 16 * 2**20


def _pairs(folder: Path) -> dict[tuple[str, str], tuple[Path, Path]]:
    """Picture and text of every page that has both. Of several texts Markdown is taken."""
    texts: dict[tuple[str, str], Path] = {}
    for path in sorted(files_below(folder, _TEXTS), key=lambda path: list(_PROMPTS).index(_ending(path))):
        texts.setdefault(page_key(path), path)
    pictures = {page_key(path): path for path in files_below(folder, PICTURES)}
    return {key: (picture, texts[key]) for key, picture in pictures.items() if key in texts}


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _read(folder: Path) -> Iterator[Item]:
    pairs = _pairs(folder)
    paired = {file for pair in pairs.values() for file in pair}
    pictures = list(files_below(folder, PICTURES))
    for picture in pictures:
        place = picture.relative_to(folder).as_posix()
        if picture not in paired:
            yield Item(place, folder, _alone(picture, pairs))
            continue
        try:
            yield Item(place, folder, _page(pairs[page_key(picture)][1], place))
        except RecordError as error:
            yield Item(place, folder, error)
    keys = set(map(page_key, pictures))
    drawn = {page_key(path) for path in files_below(folder, _DRAWN)}
    for text in files_below(folder, _TEXTS):
        if page_key(text) not in keys:
            beside = page_key(text) in drawn
            yield Item(text.relative_to(folder).as_posix(), folder, _text_alone(beside=beside))


def _alone(picture: Path, pairs: dict[tuple[str, str], tuple[Path, Path]]) -> RecordError:
    pair = pairs.get(page_key(picture))
    if pair is not None:
        return RecordError(ProblemKind.NO_TEXT, f"its text belongs to {pair[0].name}, of the same name")
    return RecordError(ProblemKind.NO_TEXT, f"there is no {picture.stem}.md or {picture.stem}.txt beside it")


def _text_alone(*, beside: bool) -> RecordError:
    if beside:
        return RecordError(
            ProblemKind.MISSING_IMAGE,
            "its page is a PDF: draw it first, to a picture of the same name",
        )
    return RecordError(ProblemKind.MISSING_IMAGE, "there is no picture of its name beside it")


def _page(text: Path, place: str) -> Conversation:
    return page(Picture(place), text_of_page(_content(text)), _PROMPTS[_ending(text)])


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise RecordError(
                ProblemKind.TOO_LONG, f"{path.name} is longer than {_MAX_TEXT_BYTES // 2**20} MiB"
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(
            ProblemKind.NOT_UTF8, f"byte {error.start + 1} of {path.name} is not UTF-8"
        ) from error
    except OSError as error:
        raise RecordError(ProblemKind.NO_TEXT, f"{path.name} cannot be read: {error.strerror}") from error


def _matches(path: Path) -> bool:
    return path.is_dir() and bool(_pairs(path))


def _matches_olmocr(path: Path) -> bool:
    """Whether the first page has the front matter."""
    first = next(iter(_pairs(path).values()), None) if path.is_dir() else None
    try:
        return first is not None and has_front_matter(_content(first[1]))
    except RecordError:
        return False


FORM = FileForm(
    word="pages",
    name="a folder of pages",
    example="p.png with p.md or p.txt beside it",
    matches=_matches,
    read=_read,
)

OLMOCR = FileForm(
    word="olmocr",
    name="olmOCR pages",
    example="p.png with p.md beside it, which begins ---, primary_language: en, …, ---",
    matches=_matches_olmocr,
    read=_read,
)
