"""Datasets on disk: the JSONL line, reading with every problem named, writing, splitting, checking, hashing.

The format is the toolkit's: one question with one picture and one answer a line. This package knows files and
nothing of workspaces; `ocrstudio.services.dataset_export` and `dataset_import` join the two. It must not load
torch: training reads a dataset through here and turns samples into tensors in `ocrstudio.student`.
"""

from ocrstudio.datasets.reader import Dataset, LineProblem, Sample, read_dataset, read_records
from ocrstudio.datasets.record import ASSISTANT, USER, DatasetRecord, ProblemKind

__all__ = [
    "ASSISTANT",
    "USER",
    "Dataset",
    "DatasetRecord",
    "LineProblem",
    "ProblemKind",
    "Sample",
    "read_dataset",
    "read_records",
]
