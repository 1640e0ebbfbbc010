"""The forms of dataset that people have, a module each with its ``FORM``; a new one is that and a line here.

Rows come from `ocrstudio.datasets.rows`, whatever file holds them; the first form whose keys a row has reads
it. Forms that are made of files read themselves.
"""

from ocrstudio.datasets.forms import (
    alto,
    imagefolder,
    llava,
    messages,
    omnidocbench,
    own,
    page_xml,
    pages,
    pairs,
    query,
    sharegpt,
    swift,
)
from ocrstudio.datasets.forms.form import Columns, FileForm, Item, Row, RowForm

ROW_FORMS: tuple[RowForm, ...] = (
    own.FORM,
    swift.FORM,
    messages.FORM,
    llava.FORM,
    sharegpt.FORM,
    omnidocbench.FORM,
    query.FORM,
    pairs.FORM,
)
"""In the order in which they are tried: one with more keys goes before one with some of them."""

FILE_FORMS: tuple[FileForm, ...] = (imagefolder.FORM, page_xml.FORM, alto.FORM, pages.OLMOCR, pages.FORM)
"""In the order in which they are tried."""

__all__ = [
    "FILE_FORMS",
    "ROW_FORMS",
    "Columns",
    "FileForm",
    "Item",
    "Row",
    "RowForm",
    "all_forms",
    "examples",
    "form_of",
]


def form_of(row: Row) -> RowForm | None:
    """The form of a row, or None."""
    return next((form for form in ROW_FORMS if form.matches(row)), None)


def all_forms() -> tuple[RowForm | FileForm, ...]:
    """All of them, as they are listed."""
    return (*ROW_FORMS, *FILE_FORMS)


def examples() -> str:
    """Every form with a line of example, a line each."""
    return "\n".join(f"  {form.name}: {form.example}" for form in all_forms())
