"""A large file of a model repository, fetched so that nothing of it has to be fetched twice.

The hub's client gives every attempt a new temporary file and throws it away when the attempt ends: of a
checkpoint in one file, whatever ends the process at 6 of 6.7 GB would cost all 6.
"""

import hashlib
import os
import re
from pathlib import Path

from filelock import FileLock

PART_SUFFIX = ".part"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 2**20


def fetch_file(repository: str, revision: str, name: str, target: Path, parts: Path) -> None:
    """Fetch a file, going on behind what earlier attempts left.

    Args:
        repository: Such as ``unsloth/DeepSeek-OCR``.
        revision: Commit.
        name: Of the file in the repository.
        target: Where it goes, once it is complete; a file of the right size that is there already stays.
        parts: Folder for what has arrived so far, on the same disk.

    Raises:
        OSError: What arrived is not what the server has; it is fetched anew the next time.
        Exception: Of the hub's client, whose errors are of many families.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined] # documented as there

    parts.mkdir(parents=True, exist_ok=True)
    url, headers = hf_hub_url(repository, name, revision=revision), build_hf_headers()
    with FileLock(parts / f"{name}.lock"):  # two runs may want the model at the same time
        metadata = get_hf_file_metadata(url)
        if target.is_file() and metadata.size in (None, target.stat().st_size):
            return
        # The name holds what the server has: a part of another version is never gone on with.
        part = parts / f"{name}.{metadata.etag}{PART_SUFFIX}"
        for other in parts.glob(f"{name}.*{PART_SUFFIX}"):
            if other != part:
                other.unlink()
        with part.open("ab") as stream:
            arrived = stream.tell()
            if metadata.size is not None and arrived > metadata.size:
                stream.truncate(0)
                arrived = 0
            http_get(url, stream, resume_size=arrived, headers=headers, expected_size=metadata.size)
        if _SHA256.fullmatch(metadata.etag or "") and _sha256(part) != metadata.etag:
            part.unlink()
            raise OSError(f"{name} did not arrive as the server has it")
        os.replace(part, target)  # noqa: PTH105 - replaces on every system


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
