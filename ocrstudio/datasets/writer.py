"""Write a dataset folder so that it is there whole or not at all, and never over somebody's work.

train.jsonl  eval.jsonl  images/{name}_p{page}.png  manifest.json
"""

import glob
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ocrstudio.datasets.new_folder import PART, building_beside, writing
from ocrstudio.datasets.record import DatasetRecord
from ocrstudio.domain.errors import DatasetError
from ocrstudio.settings.files import file_sha256

MANIFEST: Final = "manifest.json"
TRAIN: Final = "train.jsonl"
EVALUATION: Final = "eval.jsonl"
IMAGES: Final = "images"
MANIFEST_VERSION: Final = 1
_ABANDONED_S = 24 * 3600.0  # no export takes a day


@dataclass(frozen=True)
class Entry:
    """A line to write, and the picture that goes with it.

    Attributes:
        record: The line; its image is a path relative to the folder.
        image: The picture to put there.
    """

    record: DatasetRecord
    image: Path


def write_dataset(
    target: Path, parts: Mapping[str, Sequence[Entry]], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a dataset folder.

    Everything is written to a new folder beside the target, which then takes the target's place; an earlier
    export is replaced as a whole.

    Args:
        target: The folder: missing, empty, or an earlier export that nobody changed.
        parts: File name (such as ``train.jsonl``) to its lines.
        manifest: What manifest.json says besides the files and their hashes.

    Returns:
        The manifest as written.

    Raises:
        DatasetError: The target holds something else, or cannot be written.
    """
    target = target.absolute()
    with writing(target):
        _recover(target)
        _check_target(target)
        with building_beside(target) as building:
            written = _fill(building, parts, manifest)
            _swap(building, target)
    return written


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an export, or None when the folder is not one."""
    try:
        data = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("files"), dict) else None


def _fill(folder: Path, parts: Mapping[str, Sequence[Entry]], manifest: Mapping[str, Any]) -> dict[str, Any]:
    images = folder / IMAGES
    images.mkdir()
    for entry in (entry for entries in parts.values() for entry in entries):
        _place_image(entry.image, folder / entry.record.image)
    for name, entries in parts.items():
        _write(folder / name, (entry.record.to_json() for entry in entries))
    files = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted([*images.iterdir(), *(folder / name for name in parts)])
    }
    written = {"version": MANIFEST_VERSION, **manifest, "files": files}
    _write(folder / MANIFEST, [json.dumps(written, ensure_ascii=False, indent=2)])
    return written


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()
        os.fsync(stream.fileno())


def _place_image(source: Path, target: Path) -> None:
    """A copy, never a hard link: whoever edits a picture of the dataset must not change the page cache.

    File systems that share blocks (Btrfs, XFS) need neither time nor space for it.
    """
    try:
        with source.open("rb") as reader, target.open("xb") as writer:
            if not _share_blocks(reader.fileno(), writer.fileno()):
                shutil.copyfileobj(reader, writer)
    except FileExistsError:
        raise DatasetError(f"Two samples want to write {target.name}.") from None


def _share_blocks(source: int, target: int) -> bool:
    """Let the kernel copy a whole file; False, with nothing written, where it cannot."""
    if not hasattr(os, "copy_file_range"):
        return False
    left = os.fstat(source).st_size
    copied = 0
    try:
        while copied < left:
            copied += os.copy_file_range(source, target, left - copied)
    except OSError:
        if copied:
            raise
        return False
    return True


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _swap(building: Path, target: Path) -> None:
    """Put the new folder in place. A crash between the two renames is put right by `_recover`."""
    old = _old(target)
    if target.exists():
        target.replace(old)
    building.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def _recover(target: Path) -> None:
    """Tidy up after an export that was killed."""
    for abandoned in target.parent.glob(f".{glob.escape(target.name)}.*.{PART}"):
        if time.time() - abandoned.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(abandoned, ignore_errors=True)
    old = _old(target)
    if old.exists():
        if target.exists():
            shutil.rmtree(old)
        else:
            old.replace(target)


def _check_target(target: Path) -> None:
    """Refuse to replace anything that an export did not write.

    Raises:
        DatasetError: There is such a thing; it is named.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise DatasetError(f"{target} is a file.", "Choose another folder for the dataset.")
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    if not found:
        return
    manifest = read_manifest(target)
    if manifest is None:
        raise DatasetError(
            f"The folder {target} is not empty and not an exported dataset.", "Choose another folder."
        )
    files: dict[str, str] = manifest["files"]
    foreign = sorted(found - files.keys() - {MANIFEST})
    if foreign:
        raise DatasetError(
            f"The dataset {target} holds a file that the export did not write: {foreign[0]}.",
            "Move it away, or choose another folder.",
        )
    for name, digest in files.items():
        path = target / name
        if name.endswith(".jsonl") and path.exists() and file_sha256(path) != digest:
            raise DatasetError(
                f"{path} was changed after it was exported.",
                "Import it into the workspace or move it away, so that the change is not lost.",
            )
