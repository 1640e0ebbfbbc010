"""Pictures as datasets hold them: paths, data URLs, bytes; and where those without a file go."""

import base64
import binascii
import hashlib
import secrets
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from ocrstudio.datasets.conversation import Picture
from ocrstudio.datasets.record import ProblemKind, RecordError
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.wording import printable, shortened, size_of
from ocrstudio.jobs.user_state import data_dir

MAX_PICTURE_BYTES: Final = 48 * 2**20
"""Of a picture inside a dataset; a page of 25 megapixels as PNG takes about 20 MiB."""

_FOLDER = "dataset-pictures"
_DATA = "data:"
_BASE64 = ";base64"
_ENDINGS = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
    b"RIFF": ".webp",
}


def read_picture(value: object) -> Picture:
    """A picture from whatever a form has at its place.

    Args:
        value: A path, ``file:`` address or data URL; bytes; or an object with ``bytes``, ``path``, ``url``,
            ``image`` or ``image_url``, nested as OpenAI and the library ``datasets`` do.

    Raises:
        RecordError: It is none of these, a web address, or too large.
    """
    if isinstance(value, str) and value:
        return _named(value)
    if isinstance(value, bytes):
        return Picture("", _checked(value))
    if isinstance(value, dict):
        content, path = value.get("bytes"), value.get("path")
        if isinstance(content, bytes):
            return Picture(path if isinstance(path, str) else "", _checked(content))
        for key in ("path", "url", "image", "image_url"):
            if value.get(key):
                return read_picture(value[key])
    raise RecordError(ProblemKind.NO_IMAGE, "a picture is neither a file name nor a data URL")


def read_pictures(value: object) -> tuple[Picture, ...]:
    """A picture or a list of them; none for None and the empty list."""
    if value is None:
        return ()
    return tuple(map(read_picture, value if isinstance(value, list) else [value]))


def keep(content: bytes) -> Path:
    """Write a picture that came inside a dataset to a file, once for the same content.

    The files lie in the user's data folder, under their hash: they may be deleted when no run needs them, and
    are written again by the next reading.

    Raises:
        DatasetError: It cannot be written.
    """
    ending = next((ending for magic, ending in _ENDINGS.items() if content.startswith(magic)), ".img")
    path = data_dir() / _FOLDER / f"{hashlib.sha256(content).hexdigest()}{ending}"
    if path.is_file() and path.stat().st_size == len(content):
        return path
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise DatasetError(
            f"A picture of the dataset cannot be written to {path.parent}: {error.strerror or error}.",
            "Free some space there.",
        ) from error
    return path


def data_url(path: Path) -> str:
    """A picture file as a data URL.

    Raises:
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    ending = next((ending for magic, ending in _ENDINGS.items() if content.startswith(magic)), ".png")
    kind = {".jpg": "jpeg", ".tif": "tiff"}.get(ending, ending[1:])
    return f"{_DATA}image/{kind}{_BASE64},{base64.b64encode(content).decode('ascii')}"


def _named(value: str) -> Picture:
    beginning = value[:8].lower()
    if beginning.startswith(_DATA):
        return Picture("", _of_data_url(value))
    if beginning.startswith(("http://", "https://")):
        raise RecordError(
            ProblemKind.BAD_IMAGE,
            f"the image {printable(shortened(value))} is a web address, and nothing is downloaded",
        )
    if beginning.startswith("file:"):
        return Picture(unquote(urlsplit(value).path))
    return Picture(value)


def _of_data_url(value: str) -> bytes:
    head, comma, body = value.partition(",")
    if not comma or not head.lower().startswith(f"{_DATA}image/") or not head.lower().endswith(_BASE64):
        raise RecordError(
            ProblemKind.BAD_IMAGE,
            f"the data URL {printable(shortened(value, 40))} is not data:image/png;base64,…",
        )
    if len(body) > MAX_PICTURE_BYTES * 4 // 3 + 4:
        raise _too_large(len(body) * 3 // 4)
    try:
        return _checked(base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise RecordError(ProblemKind.BAD_IMAGE, "a data URL is not in base64 as it says") from error


def _checked(content: bytes) -> bytes:
    if not content:
        raise RecordError(ProblemKind.BAD_IMAGE, "a picture inside the dataset is empty")
    if len(content) > MAX_PICTURE_BYTES:
        raise _too_large(len(content))
    return content


def _too_large(size: int) -> RecordError:
    return RecordError(
        ProblemKind.BAD_IMAGE,
        f"a picture inside the dataset has {size_of(size)}, {size_of(MAX_PICTURE_BYTES)} are allowed",
    )


def name_inside(picture: Picture, stem: str, number: int, place: int) -> str:
    """What to call a picture that came inside a dataset.

    Args:
        picture: With the name that the dataset has for it, if any.
        stem: Of the dataset.
        number: Of the sample.
        place: Of the picture in its sample, from 1.
    """
    named = PurePosixPath(picture.name.replace("\\", "/")).name
    return named or f"{stem}-{number}" + (f"-{place}" if place > 1 else "") + ".png"
