"""The registry of what a worker can do: ``module:attribute`` by name, imported when it is called."""

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from ocrstudio.domain.errors import RunError

BODIES_VARIABLE = "OCRSTUDIO_WORKER_BODIES"
"""Names a module whose ``BODIES`` replaces ours: how the tests run a scripted student without torch."""

BODIES: Mapping[str, str] = {
    "train": "ocrstudio.student.recipe:train",
    "evaluate": "ocrstudio.student.evaluate:evaluate",
    "curve": "ocrstudio.services.curve_run:run_curve",
    "serve": "ocrstudio.student.serve:Server",
    "export": "ocrstudio.student.adapter_export:export_adapter",
    "merge": "ocrstudio.student.adapter_export:merge_adapter",
}

_TRAIN_EXTRA = ("torch", "transformers", "peft", "trl", "accelerate", "safetensors")


def load_body(name: str) -> Callable[..., Any]:
    """Import a body.

    Raises:
        RunError: The packages of the extra ``train`` are not installed.
    """
    bodies = BODIES
    replacement = os.environ.get(BODIES_VARIABLE)
    if replacement:
        bodies = importlib.import_module(replacement).BODIES
    module, _, attribute = bodies[name].partition(":")
    try:
        body: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _TRAIN_EXTRA:
            raise
        raise RunError(
            f"The package {missing} is not installed, and the student needs it.",
            "Install it with: pip install 'ocrstudio[train]' (in a checkout: uv sync --extra train).",
        ) from error
    return body
