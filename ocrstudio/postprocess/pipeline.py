"""The steps of each ``model_type``, in their order."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ocrstudio.domain.errors import InputError
from ocrstudio.postprocess.grounding import extract_document, extract_ocr
from ocrstudio.postprocess.processed import Processed
from ocrstudio.postprocess.steps import (
    collapse_blank_lines,
    normalise_line_ends,
    remove_document_tags,
    remove_sequence_tokens,
    remove_special_tokens,
    spell_out_macros,
    strip_ends,
)

Step = Callable[[Processed], Processed]

MODEL_TYPES: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "default": (),
        "deepseek-ocr": (
            normalise_line_ends,
            remove_sequence_tokens,
            extract_ocr,
            remove_special_tokens,
            spell_out_macros,
            strip_ends,
        ),
        "deepseek-document": (
            normalise_line_ends,
            remove_sequence_tokens,
            extract_document,
            remove_document_tags,
            spell_out_macros,
            collapse_blank_lines,
            strip_ends,
        ),
    }
)


def process(raw: str, model_type: str) -> Processed:
    """Turn the output of a model into Markdown, regions and flags.

    Args:
        raw: The output with its special tokens.
        model_type: ``default`` (nothing is changed), ``deepseek-ocr`` or ``deepseek-document``.

    Raises:
        InputError: The model type is unknown.
    """
    steps = MODEL_TYPES.get(model_type)
    if steps is None:
        raise InputError(f'"{model_type}" is not a model_type.', f"Use one of {', '.join(MODEL_TYPES)}.")
    processed = Processed(raw)
    for step in steps:
        processed = step(processed)
    return processed
