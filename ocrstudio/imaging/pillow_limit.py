"""Pillow's own limit on pictures, out of the way while one is read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image


class _Readers:
    """How many threads read a picture now, and the limit that holds when none does."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.usual: int | None = None


_READERS = _Readers()


@contextmanager
def without_pillow_limit() -> Iterator[None]:
    """Let pictures of any size be opened and decoded inside the block.

    Pillow warns of more than 89 million pixels and refuses twice as many. It looks at a number of the whole
    process, in some formats again when the pixels are decoded; so the number comes back when the last of
    several threads is done. Who decodes pixels puts a limit of their own in its place.
    """
    with _READERS.lock:
        if _READERS.count == 0:
            _READERS.usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _READERS.count += 1
    try:
        yield
    finally:
        with _READERS.lock:
            _READERS.count -= 1
            if _READERS.count == 0:
                Image.MAX_IMAGE_PIXELS = _READERS.usual
