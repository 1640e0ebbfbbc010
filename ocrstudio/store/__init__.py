"""The workspace: a folder with one labelling project, and the SQLite database in it.

All SQL of the program is here, one repository class per table group. This package keeps what it is given and
guards what must never happen (a lost or changed label revision); which status a page may take is decided in
`ocrstudio.services.labelling`. It must not render pages, read documents or know what a teacher is.
"""

from ocrstudio.store.pages import PageRow
from ocrstudio.store.runs import RunRecord
from ocrstudio.store.workspace import Workspace, is_workspace

__all__ = ["PageRow", "RunRecord", "Workspace", "is_workspace"]
