"""The documents that come with the program: one in usual print, one in letters that the reader does not know.

The strange one comes with its text, so that a person can see what correcting and training bring before they
have corrected anything of their own.
"""

from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.document import Document
from ocrstudio.domain.errors import InputError
from ocrstudio.domain.label import IMPORT, NewRevision
from ocrstudio.paths import resources_dir
from ocrstudio.services import labelling, workspaces
from ocrstudio.store import Workspace, is_workspace

HANDBOOK = Path("demo") / "labelling-handbook.pdf"
RECIPES = Path("demo") / "old-recipes.pdf"
_RECIPES_TEXT = Path("demo") / "old-recipes.md"
_NEW_PAGE = "<!-- new page -->"
_FOLDER = "OCR Studio sample"
_ORIGIN = {"file": _RECIPES_TEXT.name}


@dataclass(frozen=True)
class SampleDocuments:
    """Both documents in a workspace."""

    handbook: Document
    recipes: Document


def import_sample(ws: Workspace) -> SampleDocuments:
    """Import both documents.

    Raises:
        OcrStudioError: A file is missing or cannot be read.
    """
    files = [resources_dir() / name for name in (HANDBOOK, RECIPES)]
    for file in files:
        if not file.is_file():
            raise InputError(f"The sample document {file} is missing.", "Install OCR Studio again.")
    report = workspaces.import_sources(ws, files)
    if report.problems:
        raise report.problems[0].error
    by_name = {document.name: document for document in ws.documents.list()}
    return SampleDocuments(by_name[HANDBOOK.stem], by_name[RECIPES.stem])


def recipe_texts() -> list[str]:
    """What stands on each page of the strange document, as Markdown.

    Raises:
        InputError: The file is missing.
    """
    file = resources_dir() / _RECIPES_TEXT
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}", "Install OCR Studio again.") from error
    return [page.strip() for page in text.split(_NEW_PAGE)]


def correct_recipes(ws: Workspace, document: Document) -> list[int]:
    """Give each page of the strange document its text, and accept it; drafts stay in the history.

    The labels are kept as imported ones: no person has typed them.

    Returns:
        Ids of the pages.
    """
    rows = ws.pages.list(document_id=document.id)
    for row, text in zip(rows, recipe_texts(), strict=True):
        labelling.add_import(ws, row.page.id, NewRevision(text, IMPORT, parameters=_ORIGIN), accepted=True)
    return [row.page.id for row in rows]


def sample_folder(parent: Path) -> Path:
    """Where the sample workspace of a folder is, or will be: a name that nothing else has taken."""
    root, number = parent / _FOLDER, 1
    while root.exists() and not is_workspace(root):
        number += 1
        root = parent / f"{_FOLDER} {number}"
    return root


def sample_workspace(parent: Path) -> Path:
    """The sample workspace in a folder; made where it is missing (some seconds).

    Args:
        parent: Where its folder stands.

    Raises:
        OcrStudioError: It cannot be made.
    """
    root = sample_folder(parent)
    if is_workspace(root):
        return root
    with workspaces.create_workspace(root) as ws:
        correct_recipes(ws, import_sample(ws).recipes)
    return root
