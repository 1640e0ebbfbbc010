"""Read a dataset file: every usable line becomes a sample, every other one a problem with its number."""

import codecs
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets.image_files import ImageFiles
from ocrstudio.datasets.record import DatasetRecord, ProblemKind, RecordError
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.wording import count_of, printable

MAX_LINE_BYTES = 16 * 2**20
_WRONG_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Sample:
    """A usable line.

    Attributes:
        image: The picture; the file exists.
        prompt: The question, with ``<image>`` in it.
        answer: The label.
        line: Line number, from 1.
        image_name: The picture's path as the file has it.
    """

    image: Path
    prompt: str
    answer: str
    line: int
    image_name: str


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with a line.

    Attributes:
        line: Line number, from 1.
        kind: For counting.
        message: A clause, such as ``the image page1.png is neither …``.
    """

    line: int
    kind: ProblemKind
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}."


@dataclass(frozen=True)
class Dataset:
    """What a dataset file holds.

    Attributes:
        path: The file.
        samples: Usable lines, in their order.
        problems: Everything else that was found, in the order of the lines.
    """

    path: Path
    samples: tuple[Sample, ...]
    problems: tuple[LineProblem, ...]

    @property
    def skipped(self) -> int:
        """Number of lines that were left out."""
        return sum(problem.kind.skips for problem in self.problems)

    def summary(self) -> str:
        """One sentence with all counts, such as ``118 samples; 2 lines skipped (image not found: 2)``."""
        counts = Counter(problem.kind for problem in self.problems)
        parts = [f"{kind.value}: {count}" for kind, count in counts.most_common()]
        skipped = f"; {count_of(self.skipped, 'line')} skipped" if self.skipped else ""
        listed = f" ({', '.join(parts)})" if parts else ""
        return f"{count_of(len(self.samples), 'sample')}{skipped}{listed}"


def read_dataset(path: Path, *, strict: bool = False, blank_pages: bool = False) -> Dataset:
    """Read a JSONL file.

    Pictures are looked for beside the file first, then in the working directory; absolute paths are taken as
    they are. Names are the same in every Unicode form.

    Args:
        path: The file.
        strict: Stop at the first line that would be left out.
        blank_pages: A line with an empty answer is a page without text, and no problem.

    Raises:
        DatasetError: The file is missing, unreadable, empty or not JSON Lines at all; or, when strict, the
            first problem.
    """
    images = ImageFiles(path.parent)
    samples: list[Sample] = []
    problems: list[LineProblem] = []
    for number, raw in _lines(path):
        try:
            line = _text(raw, number, problems)
            if line is not None:
                samples.append(_sample(images, path.parent, line, number, blank_pages=blank_pages))
        except RecordError as error:
            problem = LineProblem(number, error.kind, error.message)
            if strict:
                raise _refused(path, number, error, "Correct or remove the line.") from error
            problems.append(problem)
    if not samples and not problems:
        raise DatasetError(f"{path} is empty.", "A dataset has one JSON object a line.")
    return Dataset(path, tuple(samples), tuple(problems))


def read_records(path: Path, hint: str) -> Iterator[DatasetRecord]:
    """Read the lines of a JSONL file whose pictures do not matter; the first that cannot be used ends it.

    Args:
        path: The file.
        hint: What to do about such a line.

    Raises:
        DatasetError: The file is missing, unreadable or not JSON Lines at all, or has a line of another form.
    """
    for number, raw in _lines(path):
        try:
            line = _text(raw, number, [])
            record = None if line is None else DatasetRecord.from_json(line, blank_pages=True)
        except RecordError as error:
            raise _refused(path, number, error, hint) from error
        if record is not None:
            yield record


def _refused(path: Path, number: int, error: RecordError, hint: str) -> DatasetError:
    return DatasetError(f"{path}, line {number}: {error.message}.", hint)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Line numbers and bytes; None for a line too long to keep in memory.

    Raises:
        DatasetError: The file cannot be read or is not JSON Lines at all.
    """
    try:
        with path.open("rb") as stream:
            _check_beginning(path, stream.peek(64)[:64])
            number = 0
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(raw) <= MAX_LINE_BYTES:
                    yield number, raw
                    continue
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE_BYTES)
                yield number, None
    except OSError as error:
        raise DatasetError(f"The dataset {path} cannot be read: {error.strerror}.") from error


def _check_beginning(path: Path, beginning: bytes) -> None:
    if beginning.startswith(_WRONG_ENCODINGS):
        raise DatasetError(f"{path} is in UTF-16.", "Save it as UTF-8.")
    if beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        raise DatasetError(
            f"{path} is a JSON array, not JSON Lines.",
            "Write one object a line, without brackets and commas.",
        )


def _text(raw: bytes | None, number: int, problems: list[LineProblem]) -> str | None:
    """The text of a line, or None for a blank one."""
    if raw is None:
        raise RecordError(
            ProblemKind.TOO_LONG, f"the line is longer than {MAX_LINE_BYTES // 2**20} MiB and was not read"
        )
    if number == 1 and raw.startswith(codecs.BOM_UTF8):
        raw = raw.removeprefix(codecs.BOM_UTF8)
        problems.append(LineProblem(number, ProblemKind.BYTE_ORDER_MARK, "a byte order mark was ignored"))
    try:
        line = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise RecordError(ProblemKind.NOT_UTF8, f"byte {error.start + 1} of the line is not UTF-8") from error
    if line:
        return line
    problems.append(LineProblem(number, ProblemKind.BLANK_LINE, "the line is blank; ignored"))
    return None


def _sample(images: ImageFiles, folder: Path, line: str, number: int, *, blank_pages: bool) -> Sample:
    record = DatasetRecord.from_json(line, blank_pages=blank_pages)
    image = images.find(record.image)
    if image is None:
        raise RecordError(
            ProblemKind.MISSING_IMAGE,
            f"the image {printable(record.image)} is neither in {folder.absolute()} "
            "nor in the working directory",
        )
    return Sample(image, record.prompt, record.answer, number, record.image)
