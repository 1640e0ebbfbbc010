"""Loads PyMuPDF, keeps it quiet, and hands out what it had to say.

Three facts shape this module. ``import pymupdf`` also imports its layout models and onnxruntime, which
doubles the time and the memory, although only the text layer needs them. MuPDF prints its complaints unless
it is told not to; they are collected here and shown beside the page they belong to. And MuPDF is not thread
safe: whoever calls it holds `lock`.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

Untyped: TypeAlias = Any
"""A module or an object of PyMuPDF, which carries no types."""

lock = threading.RLock()
"""Held around every call into MuPDF."""

_LAYOUT_MODULES = ("pymupdf.layout", "pymupdf4llm")
_MAX_WARNINGS = 5


def load() -> Untyped:
    """PyMuPDF without its layout models: everything that opening and rendering need."""
    with lock:
        loaded = sys.modules.get("pymupdf")
        return loaded if loaded is not None else _import_quietly()


def load_layout() -> Untyped:
    """``pymupdf4llm`` with its layout models, for the text layer; makes ``Document.to_markdown`` work."""
    with lock:
        pymupdf = load()
        importlib.import_module("pymupdf.layout")
        pymupdf4llm = importlib.import_module("pymupdf4llm")

        # PyMuPDF looked for it while the import was blocked; give it what it did not find.
        pymupdf.pymupdf4llm = pymupdf4llm
        return pymupdf4llm


def failures() -> tuple[type[Exception], ...]:
    """What a call into MuPDF may raise for a file that is damaged or too large.

    PyMuPDF turns some failures into exceptions of its own and lets MuPDF's pass as they are. Those have no
    base class that Python knows, and cannot be sent to another process.
    """
    return (RuntimeError, ValueError, MemoryError, load().mupdf.FzErrorBase)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Hold the lock and collect what MuPDF complains about inside; the list is filled on leaving."""
    with lock:
        pymupdf = load()
        pymupdf.TOOLS.reset_mupdf_warnings()
        collected: list[str] = []
        try:
            yield collected
        finally:
            collected.extend(_distinct(pymupdf.TOOLS.mupdf_warnings()))


def _import_quietly() -> Untyped:
    """Import pymupdf with its layout packages masked (None in sys.modules makes an import fail at once)."""
    masked = [name for name in _LAYOUT_MODULES if name not in sys.modules]
    for name in masked:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        pymupdf: Untyped = importlib.import_module("pymupdf")
    finally:
        for name in masked:
            sys.modules.pop(name, None)
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


def _distinct(text: str) -> list[str]:
    """The distinct lines of MuPDF's store, in order, not more than a reader wants to see."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if _is_remark(line)))
    hidden = len(lines) - _MAX_WARNINGS
    return lines if hidden <= 0 else [*lines[:_MAX_WARNINGS], f"and {hidden} more remarks"]


def _is_remark(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("... repeated")
