"""What can go wrong in the middle of a run, as sentences with the settings that help."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.run_folder import RunFolder

_CPU_ALLOCATION = ("can't allocate memory", "not enough memory")  # torch raises RuntimeError for these
_DISK = (errno.ENOSPC, errno.EDQUOT)
_DISK_TEXT = ("No space left on device", "Disk quota exceeded", "file write failed")


@contextmanager
def sentences(folder: RunFolder, advice: str) -> Iterator[None]:
    """Turn exhausted memory and a full disk into errors for the user; everything else passes.

    Args:
        folder: The run; its newest complete checkpoint is named.
        advice: What to change when memory runs out.

    Raises:
        RunError: Memory or disk ran out.
    """
    try:
        with memory_sentences(advice):
            yield
    except RunError as error:
        if error.hint != advice:
            raise
        raise RunError(f"{error.message} {_kept(folder)}", advice) from error
    except (OSError, RuntimeError) as error:
        if not _is_full_disk(error):
            raise
        raise RunError(
            f"The disk of {folder.path} is full. {_kept(folder)}",
            "Free some space, or lower training.save_total_limit, and resume the run.",
        ) from error


@contextmanager
def memory_sentences(advice: str) -> Iterator[None]:
    """Turn exhausted memory into an error for the user.

    Raises:
        RunError: Memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        device = "GPU memory" if torch.cuda.is_available() else "memory"
        raise RunError(f"The {device} is not large enough for this run.", advice) from error


def reason_of(error: Exception) -> str:
    """The first line of an error's message, as the end of a sentence; its kind where it says nothing."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on the GPU or in the machine."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(part in str(error) for part in _CPU_ALLOCATION)


def _is_full_disk(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in _DISK:
        return True
    return any(part in str(error) for part in _DISK_TEXT)


def _kept(folder: RunFolder) -> str:
    checkpoint = folder.newest_checkpoint()
    return (
        f"The last checkpoint, {checkpoint.name}, is intact."
        if checkpoint
        else "No checkpoint was written yet."
    )


TRAINING_MEMORY_ADVICE = (
    "Try in this order: training.per_device_train_batch_size 1 with gradient_accumulation_steps 8, "
    "model.use_gradient_checkpointing true, a smaller image preset or image.max_tiles 6, "
    "a smaller training.max_length, model.load_in_4bit true."
)

PREDICTION_MEMORY_ADVICE = "Lower the batch size, choose a smaller image preset, or load the model in 4 bits."
