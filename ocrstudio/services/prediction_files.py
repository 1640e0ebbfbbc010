"""Predicted texts by the name of their page, from whatever a program wrote; see `read_predictions`.

`infer` writes one Markdown file a document, its pages one after the other and nothing between them; what it
knows of each page is in its journal beside them. A page that failed leaves a comment there, which is no
prediction.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocrstudio.datasets import read_records
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.names import nfc
from ocrstudio.domain.page_files import page_of_file, stem_of
from ocrstudio.services.inference.journal import JOURNAL_NAME, read_labels

_MARKDOWN = (".md", ".markdown", ".txt")
_MARK = re.compile(r"<!--[ \t]*Page (?P<number>\d+)(?::[ \t]*(?P<reason>.*?))?[ \t]*-->", re.DOTALL)
_IDENTITY = re.compile(r"(?P<path>.*)#(?P<index>\d+)@[\d.]+", re.DOTALL)
_FORMS = "Give what infer wrote, or a folder with one Markdown file a page."


@dataclass(frozen=True)
class Predictions:
    """What a program wrote.

    Attributes:
        texts: Predicted texts by the name of the page, NFC.
        failed: Why a page has none, by its name; as far as the program said it.
        merged: Files that hold several pages with nothing between them, by the name of their document.
    """

    texts: Mapping[str, str]
    failed: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, Path] = field(default_factory=dict)


def page_name(image_name: str) -> str:
    """The name that a page is found by: that of its picture, without folders and ending, in NFC."""
    return nfc(stem_of(image_name))


def read_predictions(path: Path, wanted: Iterable[str]) -> Predictions:
    """Read a JSONL or JSON file of `infer`, its output folder, or a folder of Markdown files.

    Args:
        path: The file or folder.
        wanted: Names of the pages that are to be measured; they tell a page from a merged document.

    Raises:
        DatasetError: It cannot be read, holds nothing, or two different texts for one page.
    """
    pages = frozenset(wanted)
    if path.is_dir():
        found = _from_folder(path, pages)
    elif path.suffix.lower() == ".json":
        found = _from_json(path, pages)
    else:
        hint = "Predictions are lines of the dataset's own format; infer writes them with --format jsonl."
        found = Predictions(
            _unique(path, ((page_name(line.image), line.answer) for line in read_records(path, hint)))
        )
    if not found.texts and not found.failed and not found.merged:
        raise DatasetError(f"{path} holds no prediction.", _FORMS)
    return found


def _from_folder(folder: Path, wanted: frozenset[str]) -> Predictions:
    documents = {named[0] for name in wanted if (named := page_of_file(name)) is not None}
    texts: list[tuple[str, str]] = []
    failed: dict[str, str] = {}
    merged: dict[str, Path] = {}
    for path in _files(folder):
        name, text = nfc(path.stem), _read(path)
        failed |= {
            f"{name}_p{mark['number']}": mark["reason"] for mark in _MARK.finditer(text) if mark["reason"]
        }
        if name in wanted or name not in documents:
            reason = _only_a_comment(text)
            if reason is None:
                texts.append((name, text))
            else:
                failed[name] = reason
        elif (pages := _by_marks(name, text)) is not None:
            texts += pages
        else:
            merged[name] = path
    journal = folder / JOURNAL_NAME
    if journal.is_file():
        known = _from_journal(journal, wanted)
        single = {name for name, _ in texts}
        texts += [(name, text) for name, text in known.items() if name not in single]
        merged = {
            name: path for name, path in merged.items() if not any(_document(page) == name for page in known)
        }
    return Predictions(_unique(folder, texts), failed, merged)


def _files(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return [path for path in paths if path.suffix.lower() in _MARKDOWN and path.is_file()]


def _document(name: str) -> str:
    named = page_of_file(name)
    return named[0] if named is not None else name


def _only_a_comment(text: str) -> str | None:
    """What a page says that has nothing but the comment of a failed one."""
    found = _MARK.fullmatch(text.strip())
    return found["reason"] if found is not None and found["reason"] else None


def _by_marks(document: str, text: str) -> list[tuple[str, str]] | None:
    """The pages of a document in which each begins with a mark of its own; None for any other one."""
    marks = list(_MARK.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    bodies = [(mark, text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True)]
    if any(body for mark, body in bodies if mark["reason"]):
        return None  # the comment of a failed page, with the next page behind it
    return [(f"{document}_p{mark['number']}", body) for mark, body in bodies if not mark["reason"]]


def _from_journal(path: Path, wanted: frozenset[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for label in read_labels(path):
        found = _IDENTITY.fullmatch(label.id)
        if found is None:
            continue
        name = page_name(found["path"])
        names = [f"{name}_p{int(found['index']) + 1}"]
        if found["index"] == "0" and not found["path"].lower().endswith(".pdf"):
            names.insert(0, name)  # the picture itself is the page
        texts[_called(names, wanted)] = label.text
    return texts


def _called(names: list[str], wanted: frozenset[str]) -> str:
    """Of the names that a page may go by, the one that the dataset has."""
    return next((name for name in names if name in wanted), names[0])


def _from_json(path: Path, wanted: frozenset[str]) -> Predictions:
    try:
        records = json.loads(_read(path))
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON: {error}.", _FORMS) from error
    if not isinstance(records, list) or not all(map(_is_page, records)):
        raise DatasetError(f"{path} is not a list of pages as infer writes it.", _FORMS)
    texts: list[tuple[str, str]] = []
    failed: dict[str, str] = {}
    for record in records:
        name = _called(_names(record), wanted)
        if record["text"] is None:
            failed[name] = str((record.get("error") or {}).get("message", ""))
        else:
            texts.append((name, record["text"]))
    return Predictions(_unique(path, texts), failed)


def _is_page(record: object) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("document"), str)
        and isinstance(record.get("page"), int)
        and isinstance(record.get("text"), str | None)
        and isinstance(record.get("error"), dict | None)
    )


def _names(record: Mapping[str, Any]) -> list[str]:
    """All names by which a page of infer's list may be called."""
    picture = [page_name(record["image"])] if isinstance(record.get("image"), str) else []
    return [*picture, nfc(f"{record['document']}_p{record['page']}")]


def _unique(path: Path, texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in texts:
        if found.setdefault(name, text) != text:
            raise DatasetError(
                f"{path} has two predictions called {name}.", "Leave only the one that is to be measured."
            )
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from error
