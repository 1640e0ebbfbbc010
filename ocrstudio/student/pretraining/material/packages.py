"""Packages of Debian: fetched by apt, opened without installing them and without root."""

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from ocrstudio.domain.errors import InputError

_MAGIC = b"!<arch>\n"
_HEADER = 60
_SECONDS = 900
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "data.tar": bytes,
    "data.tar.gz": gzip.decompress,
    "data.tar.xz": lzma.decompress,
    "data.tar.bz2": bz2.decompress,
}


@dataclass(frozen=True)
class Package:
    """A ``.deb`` file.

    Attributes:
        name: Of the package.
        version: As in the file's name.
        file: The archive.
    """

    name: str
    version: str
    file: Path

    @cached_property
    def _content(self) -> dict[str, bytes]:
        return dict(_files(self.file))

    def files(self, patterns: Sequence[str]) -> list[tuple[str, bytes]]:
        """Paths (without a leading slash) and contents that match one of the patterns, in order of paths."""
        return [
            (path, content)
            for path, content in sorted(self._content.items())
            if any(fnmatchcase(path, pattern) for pattern in patterns)
        ]

    def copyright(self) -> str:
        """The copyright file.

        Raises:
            InputError: There is none; Debian's policy wants one in every package.
        """
        path = f"usr/share/doc/{self.name}/copyright"
        if path not in self._content:
            raise InputError(f"The package {self.file} holds no {path}.", "Use a package of Debian.")
        return self._content[path].decode("utf-8", "replace")


def find_packages(names: Sequence[str], folder: Path, *, download: bool) -> dict[str, Package]:
    """The packages in a folder, where missing ones are downloaded to.

    Raises:
        InputError: A package is not there and cannot be had, or is there twice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not _archives(name, folder)]
    if missing and not download:
        raise InputError(
            f"{folder} lacks {len(missing)} of {len(names)} packages: {', '.join(missing)}.",
            "Run without --offline, or copy their .deb files there.",
        )
    if missing:
        _download(missing, folder)
    return {name: _package(name, folder) for name in names}


def _archives(name: str, folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{name}_*.deb"))


def _package(name: str, folder: Path) -> Package:
    found = _archives(name, folder)
    if len(found) != 1:
        raise InputError(
            f"{folder} holds {len(found)} files of the package {name}.", "Leave one version of it there."
        )
    # apt writes NAME_VERSION_ARCHITECTURE.deb, with %3a for the colon of an epoch.
    return Package(name, unquote(found[0].stem.split("_")[1]), found[0])


def _download(names: Sequence[str], folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("apt-cache") is None:
        raise InputError(
            f"{len(names)} packages are missing in {folder} and apt-get is not installed here.",
            "Run this on Debian 12, or name a folder that holds the .deb files (--packages).",
        )
    shown = _run(["apt-cache", "show", "--no-all-versions", *names], folder).stdout
    known = {line.removeprefix("Package: ") for line in shown.splitlines() if line.startswith("Package: ")}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"apt knows no package {', '.join(unknown)}.",
            "Run `apt-get update`; the table of packages is made for Debian 12 (bookworm), component main.",
        )
    done = _run(["apt-get", "download", "-q", *names], folder)
    left = [name for name in names if not _archives(name, folder)]
    if left:
        said = next((line for line in done.stderr.splitlines() if line.startswith("E:")), "no reason given")
        raise InputError(
            f"apt-get did not download {len(left)} of {len(names)} packages ({', '.join(left)}): {said}",
            "Check the network and run it again; what is there is kept.",
        )


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{command[0]} did not answer within {_SECONDS} s.", "Check the network and run it again."
        ) from error


def _files(file: Path) -> Iterator[tuple[str, bytes]]:
    """The regular files of an archive."""
    try:
        name, data = next(
            (name, data) for name, data in _members(file.read_bytes()) if name.startswith("data.tar")
        )
        # Unpacked as a whole: a hard link would have the stream read again from its beginning.
        unpack = _UNPACK.get(name)
        if unpack is None:
            raise InputError(
                f"The package {file} is compressed as {name}.", "Use the package of Debian 12 itself."
            )
        with tarfile.open(fileobj=io.BytesIO(unpack(data)), mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() or member.islnk() else None
                if content is not None:
                    yield str(PurePosixPath(member.name)).removeprefix("/"), content.read()
    except (OSError, StopIteration, ValueError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise InputError(f"The package {file} is damaged: {error!r}.", "Download it again.") from error


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Members of an ``ar`` archive: a header of 60 bytes, then the content, padded to an even length."""
    if not data.startswith(_MAGIC):
        raise ValueError("no ar archive")
    position = len(_MAGIC)
    while position + _HEADER <= len(data):
        header = data[position : position + _HEADER]
        size = int(header[48:58])
        position += _HEADER
        yield header[:16].decode("ascii").strip().rstrip("/"), data[position : position + size]
        position += size + size % 2
