"""Plain paragraphs from the texts of packages."""

import gzip
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from itertools import pairwise
from types import MappingProxyType

from ocrstudio.domain.errors import InputError
from ocrstudio.student.pretraining.material.alphabet import fit
from ocrstudio.student.pretraining.material.lzw import decompress
from ocrstudio.student.pretraining.material.packages import Package
from ocrstudio.student.pretraining.material.table import TextEntry

_LEAST_WORDS = 6
_LONGEST_WORD = 30
_ENDS = (".", "!", "?", ".)", '."', ".”", "!”", "?”", '?"', '!"')
# Elements of HTML that end a paragraph, and those whose content is no text.
_BLOCKS = frozenset(
    {
        *("p", "li", "dd", "dt", "ul", "ol", "dl", "td", "th", "tr", "table", "div", "section", "blockquote"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "br", "body", "title", "header", "footer"),
    }
)
_NO_TEXT = frozenset(["script", "style", "pre", "head", "nav", "svg", "math", "sup"])
_SKIPPED_CLASSES = re.compile(r"navheader|navfooter|sphinxsidebar|toc\b|footnote")


def read_text(entry: TextEntry, package: Package) -> list[str]:
    """The lines of a text: paragraphs of prose, or words; in the alphabet, each once, as much as wanted.

    Raises:
        InputError: The package holds no such file, or nothing in it is usable.
    """
    files = package.files(entry.files)
    if not files:
        raise InputError(
            f"The package {package.name} {package.version} holds no file {' or '.join(entry.files)}.",
            "Correct the table of packages.",
        )
    try:
        found = [line for _, content in files for line in READERS[entry.kind](content)]
    except (OSError, EOFError, ValueError, KeyError, struct.error, zlib.error) as error:
        raise InputError(
            f"The text {entry.name} of {package.file} cannot be read: {type(error).__name__}.",
            "Use the package of Debian 12, or correct the table of packages.",
        ) from error
    if entry.kind in _WORD_KINDS:
        lines = sorted(set(found))
    else:
        lines = list(dict.fromkeys(_typographic(line) for line in found if is_prose(line)))
    if not lines:
        raise InputError(
            f"The text {entry.name} of {package.file} holds nothing to write with.",
            "Correct the table of packages.",
        )
    return _evenly(lines, entry.kilobytes * 1000)


def is_prose(line: str) -> bool:
    """Whether a paragraph is made of sentences rather than of code, a list of names or an address."""
    words = line.split()
    letters = sum(character.isalpha() or character.isspace() for character in line)
    return (
        len(words) >= _LEAST_WORDS
        and line.endswith(_ENDS)
        and max(map(len, words)) <= _LONGEST_WORD
        and letters >= 0.85 * len(line)
    )


def _typographic(line: str) -> str:
    """Half of the paragraphs with the quotation marks and dashes of print."""
    if zlib.crc32(line.encode()) % 2:
        return line
    line = re.sub(r" -{2,3} |(?<=\w)-{2,3}(?=\w)", " — ", line).replace("...", "…")
    line = re.sub(r'(^|(?<=[\s(\[—]))"(?=\S)', "“", line).replace('"', "”")
    return re.sub(r"(^|(?<=[\s(\[—“]))'(?=\S)", "‘", line).replace("'", "’")  # noqa: RUF001


def _evenly(lines: list[str], most: int) -> list[str]:
    """Lines from everywhere in the text, of at most so many bytes together."""
    total = sum(len(line.encode()) + 1 for line in lines)
    share = min(1.0, most / total)
    return [line for index, line in enumerate(lines) if int((index + 1) * share) > int(index * share)]


def _fitting(lines: Iterable[str]) -> list[str]:
    return [fitting for line in lines if (fitting := fit(line))]


class _Paragraphs(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[str] = []
        self._skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            if tag == self._skipping[-1]:
                self._skipping.append(tag)
            return
        if tag in _NO_TEXT or any(
            key == "class" and _SKIPPED_CLASSES.search(value or "") for key, value in attrs
        ):
            self._skipping.append(tag)
        if tag in _BLOCKS or tag == "pre":
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag == self._skipping[-1]:
                self._skipping.pop()
            return
        if tag in _BLOCKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._open.append(data)

    def flush(self) -> None:
        """End the paragraph."""
        self.found.append("".join(self._open))
        self._open.clear()


def _html(content: bytes) -> list[str]:
    parser = _Paragraphs()
    parser.feed(content.decode("utf-8", "replace"))
    parser.close()
    parser.flush()
    return _fitting(parser.found)


def _dictionary(content: bytes) -> list[str]:
    """A dictionary of dictd: paragraphs apart by empty lines, references in braces."""
    text = gzip.decompress(content).decode("utf-8", "replace")
    plain = re.sub(r"[{}]", "", text)
    return _fitting(re.sub(r"^\s*\d+\. (\[[a-z]+\] )?", "", part) for part in re.split(r"\n\s*\n", plain))


def _bible(content: bytes) -> list[str]:
    """The verses of bible-kjv: a table of windows, each an LZW stream, in them lines ``Ge1:1 In the …``."""
    (count,) = struct.unpack_from(">I", content, 0x58)
    places = struct.unpack_from(f">{count + 1}I", content, 0x5C)
    windows = (decompress(content[start:stop]) for start, stop in pairwise(places))
    lines = b"".join(windows).decode("latin-1").splitlines()
    return _fitting(line.split(" ", 1)[1] for line in lines if re.match(r"\w+\d+:\d+ ", line))


def _words(content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:  # some lists of Debian are as old as that
        text = content.decode("latin-1")
    words = _fitting(text.split())
    return [word for word in words if not word.endswith("'s") and len(word) > 1]


def _accented_words(content: bytes) -> list[str]:
    return [word for word in _words(content) if not word.isascii()]


def _names(content: bytes) -> list[str]:
    """The names of iso-codes, word by word."""
    lists = json.loads(content)
    names = [
        str(entry["name"])
        for each in lists.values()
        if isinstance(each, list)
        for entry in each
        if "name" in entry
    ]
    words = _fitting(word.strip("()[],;.*") for name in names for word in name.split())
    return [word for word in words if len(word) > 1 and word[0].isupper()]


READERS: Mapping[str, Callable[[bytes], list[str]]] = MappingProxyType(
    {
        "html": _html,
        "dictionary": _dictionary,
        "bible": _bible,
        "words": _words,
        "accented_words": _accented_words,
        "names": _names,
    }
)
"""How each kind of text is read: bytes of a file to lines."""

_WORD_KINDS = frozenset({"words", "accented_words", "names"})
