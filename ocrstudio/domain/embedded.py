"""The students that come with the program: words that stand where the folder of a base model is expected.

Runs and adapters name them by their word, so that they mean the same on every machine.
"""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

READER_MODEL: Final = "reader"
"""The small reader of printed cards: what a person gets who has no GPU and no weights."""

MICRO_MODEL: Final = "micro"
"""The same network with random weights: a stand-in for trying out the machinery."""


REPAIR: Final = (
    "Install OCR Studio again; in a checkout, restore the folder (with git lfs pull, if it has pointers)."
)
"""What to do when files of an embedded student are missing or damaged."""


@dataclass(frozen=True)
class EmbeddedStudent:
    """A student that needs no download.

    Attributes:
        name: Its word.
        title: What people read.
        note: What to expect of it, in a sentence.
        folder: Of its tokenizer, and of its weights unless they are random; below the resources.
        random: Whether its weights are random and follow from a seed.
        defaults: File of the values that fit it, below the configuration folder; it stands between the
            shipped values and the user's. None where everything is up to the user.
    """

    name: str
    title: str
    note: str
    folder: str
    random: bool = False
    defaults: str | None = None

    @property
    def in_text(self) -> str:
        """Its title within a sentence."""
        return f"the {self.title[0].lower()}{self.title[1:]}"


EMBEDDED: Final = MappingProxyType(
    {
        student.name: student
        for student in (
            EmbeddedStudent(
                READER_MODEL,
                "Built-in reader",
                "Reads clean print on small pages (A6 to A5), English above all, in Latin letters; needs no "
                "download and no GPU.",
                folder="reader",
                defaults="train_reader.yaml",
            ),
            EmbeddedStudent(
                MICRO_MODEL,
                "Micro student",
                "A stand-in with random weights, for trying out the machinery: it does not read.",
                folder="micro_student",
                random=True,
            ),
        )
    }
)


def offered() -> list[EmbeddedStudent]:
    """Those that people are offered; a stand-in works for whoever types its word."""
    return [student for student in EMBEDDED.values() if not student.random]


def is_embedded(model: str) -> bool:
    """Whether a model's name is the word of a student that comes with the program."""
    return model in EMBEDDED


def model_folder(model: str, resources: Path) -> Path:
    """Folder of a model's files.

    Args:
        model: A folder, or the word of an embedded student.
        resources: Folder of what the program ships.
    """
    student = EMBEDDED.get(model)
    return Path(model).expanduser() if student is None else resources / student.folder
