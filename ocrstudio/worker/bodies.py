"""The registry of what a worker can do: ``module:attribute`` by name, imported when it is called."""

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from ocrstudio.domain.errors import RunError
from ocrstudio.worker.library_versions import how_to_return, untried_libraries

BODIES_VARIABLE = "OCRSTUDIO_WORKER_BODIES"
"""Names a module whose ``BODIES`` replaces ours: how the tests run a scripted student without torch."""

BODIES: Mapping[str, str] = {
    "train": "ocrstudio.student.recipe:train",
    "evaluate": "ocrstudio.student.evaluate:evaluate",
    "curve": "ocrstudio.services.curve_run:run_curve",
    "serve": "ocrstudio.student.serve:Server",
    "export": "ocrstudio.student.adapter_export:export_adapter",
    "merge": "ocrstudio.student.adapter_export:merge_adapter",
    "gguf": "ocrstudio.student.gguf:export_gguf",
}

_TRAIN_EXTRA = ("torch", "transformers", "peft", "trl", "accelerate", "safetensors")


def load_body(name: str) -> Callable[..., Any]:
    """Import a body.

    Raises:
        RunError: The packages of the extra ``train`` are not installed, or lack what the student is made of.
    """
    bodies = BODIES
    replacement = os.environ.get(BODIES_VARIABLE)
    if replacement:
        bodies = importlib.import_module(replacement).BODIES
    module, _, attribute = bodies[name].partition(":")
    try:
        body: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing, _, inside = (error.name or "").partition(".")
        if missing not in _TRAIN_EXTRA:
            raise
        if inside:  # the package is there, its module is not
            raise _unusable(error) from error
        raise RunError(
            f"The package {missing} is not installed, and the student needs it.",
            "Install it with: pip install 'ocrstudio[train]' (in a checkout: uv sync --extra train).",
        ) from error
    except ImportError as error:
        raise _unusable(error) from error
    return body


def _unusable(error: ImportError) -> Exception:
    """A sentence about libraries that were never tried; with the tried ones it is a mistake of ours."""
    untried = untried_libraries()
    if not untried:
        return error
    named = ", ".join(library.in_words() for library in untried)
    return RunError(f"The student cannot work with {named}: {error}.", how_to_return())
