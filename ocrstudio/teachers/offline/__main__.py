"""Entry of the child: ``python -m ocrstudio.teachers.offline OPTIONS`` (JSON), requests on standard input."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.offline.page import OfflineOptions, PageReader, as_record


def _setup(notify: Notify) -> tuple[Mapping[str, Handler], dict[str, Any]]:  # noqa: ARG001
    options = json.loads(sys.argv[1])
    reader = PageReader(OfflineOptions(**{**options, "languages": tuple(options["languages"])}))

    def draft(
        document: str | None, page_index: int, password: str | None, image: str | None, max_pixels: int
    ) -> dict[str, Any]:
        source = PageSource("", _path(image), _path(document), page_index, password, max_pixels=max_pixels)
        return as_record(reader.read(source))

    return {"draft": draft}, {"options": options}


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


if __name__ == "__main__":
    sys.exit(serve_lines(_setup))
