"""Adapters for other programs: ``export``, ``merge`` and ``gguf``, answered on claimed standard output.

The parent's side is `ocrstudio.services.adapters`.
"""

from pathlib import Path
from typing import Any

from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.worker.bodies import load_body


def serve_adapters() -> int:
    """Answer until standard input ends; returns the exit status."""

    def setup(notify: Notify) -> tuple[dict[str, Handler], dict[str, Any]]:
        notify({"message": "Loading the libraries of the student"})
        export_adapter, merge_adapter, export_gguf = map(load_body, ("export", "merge", "gguf"))

        def tell(message: str, done: int, total: int) -> None:
            notify({"message": message, "done": done, "total": total})

        def export(adapter: str, target: str, language_only: bool) -> int:
            written: int = export_adapter(Path(adapter), Path(target), language_only=language_only)
            return written

        def merge(model: str, adapter: str, target: str) -> None:
            merge_adapter(model, Path(adapter), Path(target), progress=tell)

        def gguf(model: str, adapter: str, target: str, converter: str) -> None:
            export_gguf(model, Path(adapter), Path(target), Path(converter), progress=tell)

        return {"export": export, "merge": merge, "gguf": gguf}, {}

    return serve_lines(setup)
