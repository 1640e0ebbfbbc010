"""Write a dataset in another form: a new folder with the file of the form and copies of the pictures."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ocrstudio.datasets.forms import ROW_FORMS, RowForm
from ocrstudio.datasets.new_folder import building_beside, writing
from ocrstudio.datasets.reader import Dataset, Sample
from ocrstudio.datasets.record import RecordError
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.page_files import stem_of

IMAGES: Final = "images"
_PAGES: Final = "pages"
_METADATA: Final = "imagefolder"
WRITTEN: Final = {form.word: form.name for form in ROW_FORMS if form.write} | {_PAGES: "a folder of pages"}
"""Forms that can be written, with what they are called in a sentence."""


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        file: The dataset: a file, or the folder itself.
        samples: Number of samples.
        left_out: (place, reason) of samples that the form cannot hold.
    """

    file: Path
    samples: int
    left_out: tuple[tuple[str, str], ...]


def convert_dataset(dataset: Dataset, target: Path, word: str) -> Converted:
    """Write the usable samples of a dataset in another form.

    The folder is there whole or not at all. A picture of several samples is copied once.

    Args:
        dataset: As it was read.
        target: Folder that is missing or empty.
        word: One of `WRITTEN`.

    Raises:
        DatasetError: The folder holds something, cannot be written, or nothing fits into the form.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(f"{target} is there already and not empty.", "Choose a new folder.")
    with writing(target), building_beside(target) as building:
        done = _Writing(building, word).write(dataset)
        if target.exists():
            target.rmdir()
        building.replace(target)
    return Converted(target / done.file.relative_to(building), done.samples, done.left_out)


class _Writing:
    """A folder that is being filled."""

    def __init__(self, folder: Path, word: str) -> None:
        self._folder, self._word = folder, word
        self._form: RowForm | None = next((form for form in ROW_FORMS if form.word == word), None)
        # `datasets` looks for metadata and pictures in one folder; so do people with page folders.
        self._inside = "" if word in (_METADATA, _PAGES) else f"{IMAGES}/"
        self._names: dict[Path, str] = {}
        self._taken: set[str] = set()

    def write(self, dataset: Dataset) -> Converted:
        """All samples that fit."""
        left_out: list[tuple[str, str]] = []
        file = self._folder / self._file_name() if self._form else self._folder
        count = 0
        if self._form is None:
            for sample in dataset.samples:
                reason = self._page(sample)
                left_out += [(sample.where, reason)] if reason else []
            count = len(dataset.samples) - len(left_out)
        else:
            with file.open("w", encoding="utf-8", newline="\n") as stream:
                before, between, behind = ("[\n", ",\n", "\n]\n") if self._form.array else ("", "\n", "\n")
                stream.write(before)
                for line in self._lines(self._form, dataset.samples, left_out):
                    stream.write((between if count else "") + line)
                    count += 1
                stream.write(behind)
        if not count:
            reason = f" {left_out[0][0]}: {left_out[0][1]}." if left_out else ""
            raise DatasetError(
                f"{dataset.path} has no sample that can be written as {WRITTEN[self._word]}.{reason}"
            )
        return Converted(file, count, tuple(left_out))

    def _file_name(self) -> str:
        if self._word == _METADATA:
            return "metadata.jsonl"
        return "data.json" if self._form and self._form.array else "data.jsonl"

    def _lines(
        self, form: RowForm, samples: Sequence[Sample], left_out: list[tuple[str, str]]
    ) -> Iterator[str]:
        if form.write is None:
            raise ValueError(f"{form.word} is not written")
        for sample in samples:
            try:
                called = (sample.image_name, *(image.name for image in sample.more_images))
                names = list(map(self._name, sample.images, called))
                row = form.write(sample.turns, names, sample.images)
            except RecordError as error:
                left_out.append((sample.where, error.message))
                continue
            if not form.inside:
                self._copy(sample)
            yield json.dumps(row, ensure_ascii=False)

    def _page(self, sample: Sample) -> str:
        """Write a page and its text; why it cannot be, or nothing."""
        if len(sample.turns) > 1 or len(sample.images) > 1:
            return "it has several pictures or turns, and a page has one"
        if sample.image in self._names:
            return f"the picture {sample.image_name} has a text already"
        name = self._name(sample.image, sample.image_name)
        self._copy(sample)
        (self._folder / name).with_suffix(".md").write_text(sample.answer, "utf-8", newline="\n")
        return ""

    def _copy(self, sample: Sample) -> None:
        for image in sample.images:
            target = self._folder / self._names[image]
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(image, target)

    def _name(self, image: Path, named: str) -> str:
        """What a picture is called in the new folder: as before, with a number where that is taken."""
        if image not in self._names:
            plain = stem_of(named)
            stem, number = plain, 1
            while stem.casefold() in self._taken:
                number += 1
                stem = f"{number}-{plain}"  # in front: the end of a name may say its page
            self._taken.add(stem.casefold())
            self._names[image] = f"{self._inside}{stem}{image.suffix}"
        return self._names[image]
