"""Switches off what libraries would send of their own accord; the one place, passed by every process.

`ocrstudio/__init__.py` calls `keep_to_ourselves` before any other module of the program can be imported, so
it is done in the window, the command line, every child and every worker before a library looks. Environment
variables are the means because libraries read them at their import (an API call comes too late: onnxruntime
has written a device id and queued an event by then), and because children that are not ours inherit them.

What was looked at and how is told in docs/privacy.md. A new dependency is looked at in the same way.
"""

import os
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Final

SWITCHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # onnxruntime's wheels: a device id and an event store under ~/.cache/Microsoft, and look-ups of a
        # collector's host name while it is imported. With the variable, neither is made.
        "ORT_DISABLE_TELEMETRY": "1",
        # huggingface_hub and whoever reports through it: trl pings for each trainer it makes, transformers
        # adds a session and the platform to each request, the client asks which agent program runs it.
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        # transformers can replace layers by programs that it downloads; no code comes from elsewhere.
        "USE_HUB_KERNELS": "0",
        # unsloth downloads a file named after the kind of machine, so that downloads count machines.
        "UNSLOTH_DISABLE_STATISTICS": "1",
        # The common request to all of them, for what a later version may bring.
        "DO_NOT_TRACK": "1",
    }
)
"""Environment variables and the values that mean "send nothing"."""


def keep_to_ourselves(environment: MutableMapping[str, str] | None = None) -> None:
    """Set every switch that the user has not set; a value that is there is the user's own wish.

    Args:
        environment: Where to set them; None for this process and its children.
    """
    target = os.environ if environment is None else environment
    for name, value in SWITCHES.items():
        target.setdefault(name, value)
