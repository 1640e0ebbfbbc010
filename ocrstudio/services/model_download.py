"""Fetch the base model when it is missing: with progress, resumable, and checked afterwards.

Only configuration, tokenizer and safetensors are fetched; the repository's Python code never reaches the
machine. The worker calls this before it loads a student; `huggingface_hub` is imported late because only then
it is needed.
"""

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.run import MICRO_MODEL
from ocrstudio.services.disk import free_bytes
from ocrstudio.services.model_folder import REPOSITORY, download_command, folder_problem

_FOLDER_NAME = "deepseek_ocr"
_WANTED = ("*.json", "*.safetensors")
_HUB_NOTES = Path(".cache") / "huggingface"
_POLL = 0.5

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""


@dataclass(frozen=True)
class Wanted:
    """What the hub offers of the repository.

    Attributes:
        revision: Commit that all files are taken from.
        total_bytes: Size of the files that are fetched.
    """

    revision: str
    total_bytes: int


def needs_download(model: str) -> bool:
    """Whether a model is the public one and its folder is missing, or a download into it was cut short.

    Only a folder named ``deepseek_ocr`` is filled by itself: a mistyped path must not start 6.7 GB.
    """
    folder = Path(model)
    if model == MICRO_MODEL or folder.name != _FOLDER_NAME:
        return False
    if not folder.exists():
        return True
    return (folder / _HUB_NOTES).is_dir() and folder_problem(folder) != ""


def download_model(
    folder: Path, on_progress: Progress, should_stop: Callable[[], bool] = lambda: False
) -> bool:
    """Fetch the public model into a folder, going on where an earlier download ended.

    ``HF_TOKEN``, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` count as everywhere in the Hugging Face libraries.

    Args:
        folder: Where the files go.
        on_progress: Told twice a second.
        should_stop: Asked twice a second; what has arrived stays for the next time.

    Returns:
        Whether the model is complete; False when it was stopped.

    Raises:
        ModelError: It cannot be fetched; the message says why and names the command for doing it by hand.
    """
    wanted = _ask_hub(folder)
    _check_disk(folder, wanted)
    failure: list[BaseException] = []
    thread = threading.Thread(
        target=_fetch, args=(folder, wanted, failure), name="model-download", daemon=True
    )
    thread.start()
    while thread.is_alive():
        if should_stop():
            return False
        on_progress(min(_bytes_in(folder), wanted.total_bytes), wanted.total_bytes)
        thread.join(_POLL)
    if failure:
        raise _explain(failure[0], folder) from failure[0]
    problem = folder_problem(folder)
    if problem:
        raise ModelError(
            f"{REPOSITORY} was downloaded into {folder}, but {problem}.",
            f"Do it by hand: {download_command(folder)}",
        )
    on_progress(wanted.total_bytes, wanted.total_bytes)
    return True


def _ask_hub(folder: Path) -> Wanted:
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(REPOSITORY, files_metadata=True)
    except Exception as error:  # the hub's client raises its own, httpx's and OSErrors alike
        raise _explain(error, folder) from error
    sizes = [
        file.size or 0
        for file in info.siblings or []
        if any(fnmatch(file.rfilename, pattern) for pattern in _WANTED)
    ]
    return Wanted(str(info.sha), sum(sizes))


def _fetch(folder: Path, wanted: Wanted, failure: list[BaseException]) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        snapshot_download(
            REPOSITORY, revision=wanted.revision, local_dir=folder, allow_patterns=list(_WANTED)
        )
    except Exception as error:  # noqa: BLE001 - carried to the calling thread, which explains it
        failure.append(error)


def _check_disk(folder: Path, wanted: Wanted) -> None:
    missing, free = wanted.total_bytes - _bytes_in(folder), free_bytes(folder)
    if free < missing:
        raise ModelError(
            f"The model needs {missing / 1e9:.1f} GB in {folder}, and the disk has {free / 1e9:.1f} GB free.",
            "Free some space, or set model.base_model_path to a folder on another disk.",
        )


def _bytes_in(folder: Path) -> int:
    """Bytes that have arrived, unfinished files included."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size  # noqa: PTH116, PTH118 - called twice a second
            except OSError:  # renamed meanwhile
                continue
    return total


def _explain(error: BaseException, folder: Path) -> ModelError:
    import httpx
    from huggingface_hub import errors as hub

    head = f"The model folder {folder} is not complete, and {REPOSITORY} cannot be downloaded: "
    by_hand = download_command(folder)
    again = f"Start again (the download goes on where it stopped), or do it by hand: {by_hand}"
    if isinstance(error, hub.GatedRepoError | hub.RepositoryNotFoundError):
        return ModelError(f"{head}the server refuses access.", f"Set HF_TOKEN to a valid token. {again}")
    if isinstance(error, hub.HfHubHTTPError):
        status = getattr(error.response, "status_code", "an error")
        return ModelError(f"{head}the server answers {status}.", again)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelError(f"{head}the disk is full.", f"Free some space. {again}")
    if isinstance(error, PermissionError):
        return ModelError(f"{head}{error.filename or folder} cannot be written.", "Choose another folder.")
    if isinstance(
        error,
        httpx.TransportError | hub.OfflineModeIsEnabled | hub.LocalEntryNotFoundError | ConnectionError,
    ):
        return ModelError(
            f"{head}there is no connection to the server.",
            f"Connect to the network, or do it on a machine that is connected: {by_hand}. "
            "To try the loop without the model: --model micro.",
        )
    return ModelError(f"{head}{type(error).__name__}: {error}", again)
