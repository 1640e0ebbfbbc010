"""Read a dataset of any form: every usable sample, and every other one as a problem with its place."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ocrstudio.datasets.conversation import Conversation, Picture, Turn
from ocrstudio.datasets.forms import FILE_FORMS, Columns, FileForm, RowForm, examples, form_of, own
from ocrstudio.datasets.forms.pairs import read_columns
from ocrstudio.datasets.image_files import ImageFiles
from ocrstudio.datasets.pictures import keep, name_inside
from ocrstudio.datasets.record import DatasetRecord, ProblemKind, RecordError
from ocrstudio.datasets.rows import Row, is_table, read_rows
from ocrstudio.datasets.tables import is_saved
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.wording import count_of, printable, shortened, some_of

_SHOWN_KEYS = 8


@dataclass(frozen=True)
class Sample:
    """A usable sample: mostly a picture, a question and an answer.

    Attributes:
        image: The picture, of several the first; the file exists.
        prompt: The first question, with an ``<image>`` for each of its pictures.
        answer: Its answer: the label.
        line: Number of the line, row or page, from 1.
        image_name: The picture's path as the dataset has it.
        more_images: Further pictures, in the order of their ``<image>``.
        more_turns: Further questions and answers.
        place: Where it stands, where that is no line: the name of a file.
    """

    image: Path
    prompt: str
    answer: str
    line: int
    image_name: str
    more_images: tuple[Path, ...] = ()
    more_turns: tuple[Turn, ...] = ()
    place: str = ""

    @property
    def images(self) -> tuple[Path, ...]:
        """All pictures."""
        return (self.image, *self.more_images)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All questions and answers."""
        return (Turn(self.prompt, self.answer), *self.more_turns)

    @property
    def where(self) -> str:
        """Its place in a sentence: ``Line 7``, or the name of a file."""
        return self.place or f"Line {self.line}"


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with a line.

    Attributes:
        line: Number of the line, row or page, from 1.
        kind: For counting.
        message: A clause, such as ``the image page1.png is neither …``.
        place: Where it is, where that is no line: the name of a file.
    """

    line: int
    kind: ProblemKind
    message: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.place or f'Line {self.line}'}: {self.message}."


@dataclass(frozen=True)
class Dataset:
    """What a dataset holds.

    Attributes:
        path: The file or folder.
        samples: Usable samples, in their order.
        problems: Everything else that was found, in its order.
        forms: Names of the forms that were recognised, the most frequent first.
        unit: What is counted: ``line``, ``page``.
    """

    path: Path
    samples: tuple[Sample, ...]
    problems: tuple[LineProblem, ...]
    forms: tuple[str, ...] = ()
    unit: str = "line"

    @property
    def skipped(self) -> int:
        """Number of lines that were left out."""
        return sum(problem.kind.skips for problem in self.problems)

    @property
    def read_as(self) -> str:
        """What it was taken for, such as ``read as LLaVA conversations``; nothing for the program's own."""
        foreign = self.forms != (own.FORM.name,)
        return f"read as {' and '.join(self.forms)}" if self.forms and foreign else ""

    def summary(self) -> str:
        """One sentence with all counts, such as ``118 samples; 2 lines skipped (image not found: 2)``."""
        counts = Counter(problem.kind for problem in self.problems)
        parts = [f"{kind.value}: {count}" for kind, count in counts.most_common()]
        skipped = f"; {count_of(self.skipped, self.unit)} skipped" if self.skipped else ""
        listed = f" ({', '.join(parts)})" if parts else ""
        read_as = f", {self.read_as}" if self.read_as else ""
        return f"{count_of(len(self.samples), 'sample')}{read_as}{skipped}{listed}"


def read_dataset(
    path: Path,
    *,
    strict: bool = False,
    blank_pages: bool = False,
    one_page: bool = False,
    columns: Columns | None = None,
) -> Dataset:
    """Read a dataset file or folder of any form in `ocrstudio.datasets.forms`.

    Pictures are looked for beside the file first, then in the working directory and in ``images`` beside it;
    absolute paths are taken as they are. Names are the same in every Unicode form.

    Args:
        path: The file or folder.
        strict: Stop at the first sample that would be left out.
        blank_pages: A sample with an empty answer is a page without text, and no problem.
        one_page: Leave out samples of several pictures or turns, for what asks one thing about one page.
        columns: Where picture and text stand, as the user said; no form is looked for then.

    Raises:
        DatasetError: It is missing, unreadable, empty or in no form that is known; or, when strict, the
            first problem.
    """
    source = _Rows(path, columns) if columns else _source(path)
    reading = _Reading(path, blank_pages=blank_pages, one_page=one_page)
    for entry in source.entries():
        problem = reading.take(entry)
        if strict and problem is not None and problem.kind.skips:
            place = problem.place or f"line {problem.line}"
            raise DatasetError(f"{path}, {place}: {problem.message}.", "Correct or remove it.")
    if not reading.samples and not reading.problems:
        raise DatasetError(f"{path} is empty.", "A dataset has one JSON object a line.")
    if not reading.known and columns is None:
        _refuse_unknown(path, reading.problems)
    forms = tuple(name for name, _ in (reading.forms or reading.known).most_common())
    return Dataset(path, tuple(reading.samples), tuple(reading.problems), forms, source.unit)


def read_records(path: Path, hint: str) -> Iterator[DatasetRecord]:
    """Read the lines of a file whose pictures do not matter; the first that cannot be used ends it.

    Args:
        path: The file.
        hint: What to do about such a line.

    Raises:
        DatasetError: The file is missing, unreadable, or has a line of another form, of several turns or
            without a picture.
    """
    for entry in _Rows(path, None).entries():
        content = entry.content
        if isinstance(content, Conversation) and len(content.turns) == len(content.pictures) == 1:
            turn = content.turns[0]
            yield DatasetRecord(turn.question, content.pictures[0].name, turn.answer)
            continue
        problem = content if isinstance(content, RecordError) else _not_one_page(content)
        if problem.kind.skips:
            raise DatasetError(f"{path}, line {entry.number}: {problem.message}.", hint)


@dataclass(frozen=True)
class _Entry:
    """What stands at one place of a dataset."""

    number: int
    place: str
    folder: Path
    form: str
    content: Conversation | RecordError


@dataclass(frozen=True)
class _Rows:
    """A file of rows, or a folder of such files."""

    path: Path
    columns: Columns | None

    @property
    def unit(self) -> str:
        """What its entries are called."""
        return "line"

    def entries(self) -> Iterator[_Entry]:
        """The rows, each read by the first form that knows its keys."""
        folder = self.path if self.path.is_dir() else self.path.parent
        for number, row in read_rows(self.path):
            if isinstance(row, RecordError):
                yield _Entry(number, "", folder, "", row)
                continue
            form = None if self.columns else form_of(row)
            name = form.name if form else "the columns that were named" if self.columns else ""
            try:
                yield _Entry(number, "", folder, name, self._read(row, form))
            except RecordError as error:
                yield _Entry(number, "", folder, name, error)

    def _read(self, row: Row, form: RowForm | None) -> Conversation:
        if self.columns:
            return read_columns(row, self.columns)
        if form is None:
            keys = printable(shortened(some_of([str(key) for key in row], _SHOWN_KEYS) or "none", 80))
            raise RecordError(ProblemKind.UNKNOWN_FORM, f"its keys are of no known form ({keys})")
        return form.read(row)


@dataclass(frozen=True)
class _Files:
    """A folder, or a single file, of a form that reads itself."""

    path: Path
    form: FileForm

    @property
    def unit(self) -> str:
        """What its entries are called."""
        return "page"

    def entries(self) -> Iterator[_Entry]:
        """The pages in their order."""
        for number, item in enumerate(self.form.read(self.path), start=1):
            yield _Entry(number, item.place, item.folder, self.form.name, item.content)


def file_form_of(path: Path) -> FileForm | None:
    """The form of a folder, or of a file that is a form of its own; None for rows and for what is none."""
    if path.is_dir() and is_saved(path):
        return None
    if path.is_dir() or path.suffix.lower() == ".xml":
        return next((form for form in FILE_FORMS if form.matches(path)), None)
    return None


def is_dataset(path: Path) -> bool:
    """Whether a file or folder is a dataset, as far as its ending and its files tell."""
    if path.is_dir():
        return is_saved(path) or file_form_of(path) is not None
    return is_table(path) or file_form_of(path) is not None


def _source(path: Path) -> _Rows | _Files:
    form = file_form_of(path)
    if form is not None:
        return _Files(path, form)
    if path.is_dir() and not is_saved(path):
        inside = sorted(entry.name for entry in path.glob("*.json*"))
        hint = f"Name a file in it: {some_of(inside, 3)}." if inside else f"Forms:\n{examples()}"
        raise DatasetError(f"The folder {path} is no dataset of a form that is known.", hint)
    return _Rows(path, None)


@dataclass
class _Reading:
    """What was read so far: samples with their forms, and the forms of all entries that had one."""

    path: Path
    blank_pages: bool
    one_page: bool
    samples: list[Sample] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    _files: dict[Path, ImageFiles] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def take(self, entry: _Entry) -> LineProblem | None:
        """Keep an entry; the problem that it is, if it is one."""
        if entry.form:
            self.known[entry.form] += 1
        try:
            if isinstance(entry.content, RecordError):
                raise entry.content
            self.samples.append(self._sample(entry, entry.content))
            self.forms[entry.form] += 1
        except RecordError as error:
            return self._note(entry, error)
        for note in entry.content.notes:
            self._note(entry, note)
        return None

    def _note(self, entry: _Entry, error: RecordError) -> LineProblem:
        problem = LineProblem(entry.number, error.kind, error.message, entry.place)
        self.problems.append(problem)
        return problem

    def _sample(self, entry: _Entry, content: Conversation) -> Sample:
        if self.one_page and (len(content.turns) > 1 or len(content.pictures) > 1):
            raise _not_one_page(content)
        if not self.blank_pages and any(not turn.answer.strip() for turn in content.turns):
            raise RecordError(ProblemKind.EMPTY_ANSWER, "the answer is empty")
        found = [self._file(entry, picture, place) for place, picture in enumerate(content.pictures, start=1)]
        (first, name), turn = found[0], content.turns[0]
        return Sample(
            image=first,
            prompt=turn.question,
            answer=turn.answer,
            line=entry.number,
            image_name=name,
            more_images=tuple(path for path, _ in found[1:]),
            more_turns=content.turns[1:],
            place=entry.place,
        )

    def _file(self, entry: _Entry, picture: Picture, place: int) -> tuple[Path, str]:
        """The file of a picture, and what it is called."""
        if picture.content is not None:
            stem = self.path.name.partition(".")[0]
            name = name_inside(picture, stem, entry.number, place)
            if name in self._names:  # a table may call every picture the same
                name = f"{entry.number}-{name}"
            self._names.add(name)
            return keep(picture.content), name
        files = self._files.setdefault(entry.folder, ImageFiles(entry.folder))
        image = files.find(picture.name)
        if image is None:
            shown = printable(shortened(picture.name, 200))
            raise RecordError(
                ProblemKind.MISSING_IMAGE,
                f"the image {shown} is neither in {entry.folder.absolute()} nor in the working directory",
            )
        return image, picture.name


def _not_one_page(content: Conversation) -> RecordError:
    if len(content.pictures) > 1:
        return RecordError(
            ProblemKind.SEVERAL_IMAGES, f"it has {len(content.pictures)} pictures, and one is wanted here"
        )
    return RecordError(
        ProblemKind.SEVERAL_TURNS, f"it has {len(content.turns)} turns, and one is wanted here"
    )


def _refuse_unknown(path: Path, problems: list[LineProblem]) -> None:
    """Say which forms there are, where not one line has a form."""
    kinds: Mapping[ProblemKind, int] = Counter(problem.kind for problem in problems)
    if kinds.get(ProblemKind.UNKNOWN_FORM):
        first = next(problem for problem in problems if problem.kind is ProblemKind.UNKNOWN_FORM)
        raise DatasetError(
            f"{path} is in no form that is known. {first}",
            "Picture and text in columns of other names: --image-key and --text-key. "
            f"Forms that are read:\n{examples()}",
        )
