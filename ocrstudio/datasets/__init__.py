"""Datasets on disk: reading every common form, with every problem named; writing, splitting, checking.

The program's own format is the toolkit's: one question with one picture and one answer a line; the others are
in `ocrstudio.datasets.forms`. This package knows files and nothing of workspaces;
`ocrstudio.services.dataset_export` and `dataset_import` join the two. It must not load torch: training reads
a dataset through here and turns samples into tensors in `ocrstudio.student`.
"""

from ocrstudio.datasets.conversation import Turn
from ocrstudio.datasets.forms.form import Columns
from ocrstudio.datasets.reader import (
    Dataset,
    LineProblem,
    Sample,
    is_dataset,
    read_dataset,
    read_records,
)
from ocrstudio.datasets.record import ASSISTANT, USER, DatasetRecord, ProblemKind

__all__ = [
    "ASSISTANT",
    "USER",
    "Columns",
    "Dataset",
    "DatasetRecord",
    "LineProblem",
    "ProblemKind",
    "Sample",
    "Turn",
    "is_dataset",
    "read_dataset",
    "read_records",
]
