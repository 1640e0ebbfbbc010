"""The order of the lines of a page as Tesseract sees it, from its page segmentation alone: nothing is read.

Its program cannot stop after the segmentation, which is a seventh of its time for a page; its library can.
It is called in a process of its own (``python -m ocrstudio.teachers.offline.segmentation``), since it is
foreign code that may crash or hang; that process loads neither NumPy nor a model. Where there is no library,
`tesseract.read_in_order` asks the program.
"""

import ctypes
import ctypes.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE = "ocrstudio.teachers.offline.segmentation"
_NAMES = ("libtesseract*.dll", "libtesseract*.dylib", "libtesseract.so*")
_AUTOMATIC = 3  # PSM_AUTO: columns are looked for, the page stands upright
_TEXT_LINE = 2  # RIL_TEXTLINE

Box = tuple[int, int, int, int]


def find_library(program: str) -> str | None:
    """The library of an installed Tesseract: beside its program, or where the system looks for libraries.

    Args:
        program: Path of the program.
    """
    folder = Path(program).resolve().parent
    for place in (folder, folder.parent / "lib"):
        found = sorted(file for name in _NAMES for file in place.glob(name))
        if found:
            return str(found[0])
    return ctypes.util.find_library("tesseract")


def segment(library: str, pixels: bytes, width: int, height: int, dpi: int) -> list[Box]:
    """The boxes (x0, y0, x1, y1) of the lines of an RGB page in reading order.

    Raises:
        OSError: The library cannot be loaded.
        AttributeError: It lacks a function.
    """
    tesseract = ctypes.CDLL(library)
    handle, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    tesseract.TessBaseAPICreate.restype = handle
    tesseract.TessBaseAPIInitForAnalysePage.argtypes = [handle]
    tesseract.TessBaseAPISetVariable.argtypes = [handle, text, text]
    tesseract.TessBaseAPISetPageSegMode.argtypes = [handle, number]
    tesseract.TessBaseAPISetImage.argtypes = [handle, text, number, number, number, number]
    tesseract.TessBaseAPIAnalyseLayout.argtypes = [handle]
    tesseract.TessBaseAPIAnalyseLayout.restype = handle
    tesseract.TessPageIteratorNext.argtypes = [handle, number]
    tesseract.TessPageIteratorBoundingBox.argtypes = [handle, number, *(ctypes.POINTER(number),) * 4]
    page = tesseract.TessBaseAPICreate()
    tesseract.TessBaseAPIInitForAnalysePage(page)
    tesseract.TessBaseAPISetPageSegMode(page, _AUTOMATIC)
    tesseract.TessBaseAPISetVariable(page, b"user_defined_dpi", str(dpi).encode())
    tesseract.TessBaseAPISetImage(page, pixels, width, height, 3, 3 * width)
    return list(_boxes(tesseract, tesseract.TessBaseAPIAnalyseLayout(page)))


def _boxes(tesseract: ctypes.CDLL, lines: int | None) -> Iterator[Box]:
    """The boxes at an iterator of the library, which is null for a page without text."""
    sides = [ctypes.c_int() for _ in range(4)]
    more = lines is not None
    while more:
        if tesseract.TessPageIteratorBoundingBox(lines, _TEXT_LINE, *map(ctypes.byref, sides)):
            left, top, right, bottom = (side.value for side in sides)
            yield left, top, right, bottom
        more = bool(tesseract.TessPageIteratorNext(lines, _TEXT_LINE))


def main() -> None:
    """Entry of the child: a page on standard input, the boxes of its lines as JSON on standard output."""
    library, *numbers = sys.argv[1:]
    width, height, dpi = map(int, numbers)
    pixels = sys.stdin.buffer.read()
    if len(pixels) != 3 * width * height:
        sys.exit(2)
    boxes = segment(library, pixels, width, height, dpi)
    sys.stdout.write(json.dumps(boxes))
    sys.stdout.flush()
    os._exit(0)  # its destructors are of no use to anybody, and another place to crash


if __name__ == "__main__":
    main()
