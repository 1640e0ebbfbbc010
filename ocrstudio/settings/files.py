"""Write files so that a reader sees the old or the new one, never half of one, and hash them.

It stands in the lowest layer that touches the disk, so that everything above can use it.
"""

import hashlib
import os
import secrets
from pathlib import Path


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file atomically, creating its folder when it is missing.

    Args:
        path: The file; a link stays a link, what it points to is replaced.
        data: The whole content.
        durable: Whether to wait until the data is on the disk, so that it survives a power failure; not worth
            the time for pictures that can be made again.

    Raises:
        OSError: The folder or file cannot be written; an existing file is unchanged.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically with Unix line ends, creating the folder when it is missing.

    Raises:
        OSError: The folder or file cannot be written; an existing file is unchanged.
    """
    write_bytes(path, text.encode("utf-8"))


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
