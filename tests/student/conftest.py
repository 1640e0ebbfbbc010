"""Torch and its neighbours warn when they are first imported; our own warnings stay errors."""

import os
import warnings

import pytest

# As for every worker (`ocrstudio.jobs.child_environment`); OpenMP reads it when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import peft
    import torch
    import transformers

LIBRARIES = (peft, torch, transformers)


@pytest.fixture(autouse=True)
def _one_thread():
    """Several workers share the machine's cores."""
    torch.set_num_threads(1)
