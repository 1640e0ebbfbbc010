"""What every teacher does to its output: post-processing by model type, and the search for repetition."""

from ocrstudio.domain.region import Region
from ocrstudio.postprocess import process
from ocrstudio.postprocess.repetition import find_runaway
from ocrstudio.teachers.base import RUNAWAY


def finish(raw: str, model_type: str) -> tuple[str, tuple[Region, ...], tuple[str, ...]]:
    """Text, regions and flags of an output.

    Args:
        raw: The output as it came.
        model_type: ``default``, ``deepseek-ocr`` or ``deepseek-document``.
    """
    processed = process(raw, model_type)
    flags = tuple(processed.flags)
    if RUNAWAY not in flags and find_runaway(processed.text) is not None:
        flags = (*flags, RUNAWAY)
    return processed.text, processed.regions, flags
