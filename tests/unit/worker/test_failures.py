import errno

import pytest

from ocrstudio.domain.errors import ModelError
from ocrstudio.worker.run import describe_failure


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (ModelError("No weights in x.", "Download them."), "No weights in x.", "Download them."),
        (MemoryError(), "ran out of memory", "batch_size"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/data/x"),
            "The disk is full (/data/x)",
            "Free some space",
        ),
        (KeyError("lm_head"), "unexpected KeyError", "worker.log"),
    ],
)
def test_every_failure_is_a_sentence_with_something_to_do(error, message, hint):
    fields = describe_failure(error)
    assert message in fields["message"]
    assert hint in fields["hint"]
    assert type(error).__name__ in fields["traceback"]
