"""The table of packages."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocrstudio.domain.errors import ConfigError

Weight = Literal["light", "regular", "medium"]
Width = Literal["normal", "condensed"]
TextKind = Literal["html", "dictionary", "bible", "words", "accented_words", "names"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str


class FontEntry(_Entry):
    """Families of one package.

    Attributes:
        package: Of Debian.
        families: Names as in the font files.
        weights: Which are taken.
        widths: Which are taken.
        files: Patterns of file names.
        italics: Whether its slanted fonts are taken as well, of the first of the weights alone.
        alike: Characters that its fonts may draw as each other.
    """

    families: tuple[str, ...] = Field(min_length=1)
    weights: tuple[Weight, ...] = ("regular",)
    widths: tuple[Width, ...] = ("normal",)
    files: tuple[str, ...] = ("*",)
    italics: bool = True
    alike: str = ""


class TextEntry(_Entry):
    """A text of one package.

    Attributes:
        package: Of Debian.
        name: Of the file that is made.
        kind: How it is read, see `texts.READERS`.
        files: Patterns of paths in the package.
        kilobytes: Most of the cleaned text, in thousands of bytes.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    kind: TextKind
    files: tuple[str, ...] = Field(min_length=1)
    kilobytes: int = Field(gt=0)


class Table(BaseModel):
    """All that is taken.

    Attributes:
        fonts: Of the training.
        held_out_fonts: Of the gates.
        new_faces: Kinds of print that only the benchmark of learning shows.
        texts: Of the training.
        held_out_texts: Of the gates.
        tokens: Of the tokenizer.
        tokenizer_pages: Written pages that it is learnt from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fonts: tuple[FontEntry, ...] = Field(min_length=1)
    held_out_fonts: tuple[FontEntry, ...] = Field(min_length=1)
    new_faces: tuple[FontEntry, ...] = ()
    texts: tuple[TextEntry, ...] = Field(min_length=1)
    held_out_texts: tuple[TextEntry, ...] = Field(min_length=1)
    tokens: int = Field(gt=0)
    tokenizer_pages: int = Field(gt=0)

    def packages(self) -> tuple[str, ...]:
        """Every package once, in alphabetical order."""
        entries = (
            *self.fonts,
            *self.held_out_fonts,
            *self.new_faces,
            *self.texts,
            *self.held_out_texts,
        )
        return tuple(sorted({entry.package for entry in entries}))


def read_table(file: Path | None = None) -> Table:
    """Read a table; without a file the shipped one.

    Raises:
        ConfigError: It cannot be read, or has an unknown key or an impossible value.
    """
    file = file or Path(__file__).with_name("packages.yaml")
    try:
        return Table.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"The table {file} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"The table {file} is not YAML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"The table {file} has a wrong entry at {place}: {first['msg']}.") from error
