"""The child process that draws pages for the window (``python -m ocrstudio.ui.viewer.render_process``).

MuPDF takes a second to load, holds the interpreter lock while it draws, and may crash on a hostile file; in
a process of its own none of that reaches the window. No Qt here.

It says ``{"ready": true}`` when it is loaded. Requests are JSON lines on standard input:
``{"document": path, "page": index, "dpi": 96.0, "limit": 60}``; should drawing take far longer than so many
seconds, the process ends itself. Each is answered on standard output by a JSON line,
``{"width", "height", "dpi", "warnings"}`` followed by ``width * height * 3`` bytes of RGB, or
``{"error", "hint"}``. The process ends when standard input ends.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.jobs.stdio import ClaimedOutput, claim_stdout
from ocrstudio.jobs.watchdog import ends_itself_after
from ocrstudio.pdf import PageImage, PdfDocument, engine, open_document

_OPEN_DOCUMENTS = 4


class OpenDocuments:
    """The last few documents, kept open because opening one costs more than drawing a page."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, PdfDocument] = OrderedDict()

    def get(self, path: str) -> PdfDocument:
        """The document, opened when it is not open yet."""
        if path not in self._documents:
            self._documents[path] = open_document(Path(path))
        self._documents.move_to_end(path)
        while len(self._documents) > _OPEN_DOCUMENTS:
            _, oldest = self._documents.popitem(last=False)
            oldest.close()
        return self._documents[path]


def main() -> int:
    """Answers requests until standard input ends."""
    output = claim_stdout()
    engine.load()  # now, while nobody waits for a page yet
    output.write(_line({"ready": True}))
    documents = OpenDocuments()
    try:
        for line in sys.stdin.buffer:
            _answer(output, documents, json.loads(line))
    except BrokenPipeError:
        return 0  # the window is gone
    return 0


def _answer(output: ClaimedOutput, documents: OpenDocuments, request: dict[str, Any]) -> None:
    try:
        document = documents.get(request["document"])
        with ends_itself_after(request["limit"]):
            image = document.render(request["page"], dpi=request["dpi"])
    except OcrStudioError as problem:
        output.write(_line({"error": problem.message, "hint": problem.hint}))
    except Exception as problem:  # noqa: BLE001 - a process entry: the window must learn why
        sentence = (
            f"Page {request['page'] + 1} of {Path(request['document']).name} cannot be drawn: {problem}."
        )
        output.write(_line({"error": sentence, "hint": ""}))
    else:
        output.write(_line(_header(image)))
        output.write(image.pixels.tobytes())


def _header(image: PageImage) -> dict[str, Any]:
    height, width = image.pixels.shape[:2]
    return {"width": width, "height": height, "dpi": image.dpi, "warnings": list(image.warnings)}


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


if __name__ == "__main__":
    sys.exit(main())
