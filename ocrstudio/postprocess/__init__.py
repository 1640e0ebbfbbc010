"""What comes out of a model becomes Markdown and regions; runaway repetition is found.

Text in, text out, by lists of small pure steps: one list for each ``model_type``. Model output is data:
nothing of it is ever evaluated, and no file is read or written here. The raw output is kept by the caller, so
steps can be rerun.
"""

from ocrstudio.postprocess.pipeline import MODEL_TYPES, process
from ocrstudio.postprocess.processed import FLAG_TEXTS, Processed

__all__ = ["FLAG_TEXTS", "MODEL_TYPES", "Processed", "process"]
