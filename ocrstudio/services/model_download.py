"""Fetch the base model when it is missing: with progress, resumable, and checked afterwards.

Only configuration, tokenizer and safetensors are fetched; the repository's Python code never reaches the
machine. The worker calls this before it loads a student; `huggingface_hub` is imported late because only then
it is needed.
"""

import errno
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import ModelError
from ocrstudio.services.disk import free_bytes
from ocrstudio.services.model_folder import REPOSITORY, download_command, folder_problem
from ocrstudio.services.resumable_file import PART_SUFFIX, fetch_file

_FOLDER_NAME = "deepseek_ocr"
_SMALL, _LARGE = "*.json", "*.safetensors"
_HUB_NOTES = Path(".cache") / "huggingface"
_PARTS = _HUB_NOTES / "parts"
_POLL = 0.5

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""


@dataclass(frozen=True)
class Wanted:
    """What the hub offers of the repository.

    Attributes:
        revision: Commit that all files are taken from.
        sizes: The files that are fetched, and their bytes.
    """

    revision: str
    sizes: Mapping[str, int]

    @property
    def total_bytes(self) -> int:
        """Size of all of them."""
        return sum(self.sizes.values())


def needs_download(model: str) -> bool:
    """Whether a model is the public one and its folder is missing, or a download into it was cut short.

    Only a folder named ``deepseek_ocr`` is filled by itself: a mistyped path must not start 6.7 GB.
    """
    folder = Path(model)
    if is_embedded(model) or folder.name != _FOLDER_NAME:
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
        on_progress(min(_arrived(folder, wanted), wanted.total_bytes), wanted.total_bytes)
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
    sizes = {
        file.rfilename: file.size or 0
        for file in info.siblings or []
        if "/" not in file.rfilename and (fnmatch(file.rfilename, _SMALL) or fnmatch(file.rfilename, _LARGE))
    }
    return Wanted(str(info.sha), sizes)


def _fetch(folder: Path, wanted: Wanted, failure: list[BaseException]) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    small = [name for name in wanted.sizes if fnmatch(name, _SMALL)]
    try:
        # The small ones first: with the index there, a folder says what it still lacks.
        snapshot_download(REPOSITORY, revision=wanted.revision, local_dir=folder, allow_patterns=small)
        for name in wanted.sizes:
            if fnmatch(name, _LARGE):
                fetch_file(REPOSITORY, wanted.revision, name, folder / name, folder / _PARTS)
    except Exception as error:  # noqa: BLE001 - carried to the calling thread, which explains it
        failure.append(error)


def _check_disk(folder: Path, wanted: Wanted) -> None:
    missing, free = wanted.total_bytes - _arrived(folder, wanted), free_bytes(folder)
    if free < missing:
        raise ModelError(
            f"The model needs {missing / 1e9:.1f} GB in {folder}, and the disk has {free / 1e9:.1f} GB free.",
            "Free some space, or set model.base_model_path to a folder on another disk.",
        )


def _arrived(folder: Path, wanted: Wanted) -> int:
    """Bytes that have arrived, those of unfinished files included."""
    places = [folder / name for name in wanted.sizes]
    places += (folder / _PARTS).glob(f"*{PART_SUFFIX}")
    total = 0
    for place in places:
        try:
            total += place.stat().st_size
        except OSError:  # not there yet, or moved to its place meanwhile
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
            "To try the loop without the model: --model reader.",
        )
    return ModelError(f"{head}{type(error).__name__}: {error}", again)
