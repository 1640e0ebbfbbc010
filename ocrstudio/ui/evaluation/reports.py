"""Reads the reports of finished evaluations in the background and keeps the ones that are shown."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.ui.background import Background

if TYPE_CHECKING:
    from ocrstudio.evaluation.results import EvaluationReport


class Reports:
    """Reports by run.

    Args:
        background: Where files are read.
        changed: Called with the id of a run whose report is there.
        failed: Called with the problem of a report that cannot be read.
    """

    def __init__(
        self, background: Background, changed: Callable[[str], None], failed: Callable[[OcrStudioError], None]
    ) -> None:
        self._background = background
        self._changed = changed
        self._failed = failed
        self._reports: dict[str, EvaluationReport] = {}
        self._asked: set[str] = set()

    def get(self, run_id: str) -> "EvaluationReport | None":
        """The report of a run, if it was read."""
        return self._reports.get(run_id)

    def ask(self, run_id: str, path: Path) -> None:
        """Reads the report of a run, once."""
        if run_id in self._asked:
            return
        self._asked.add(run_id)

        def done(report: "EvaluationReport") -> None:
            if run_id in self._asked:
                self._reports[run_id] = report
                self._changed(run_id)

        self._background.run(lambda _: _read(path), done, self._failed)

    def forget(self, run_id: str | None = None) -> None:
        """Forgets the report of one run, or all of them."""
        if run_id is None:
            self._asked.clear()
            self._reports.clear()
        else:
            self._asked.discard(run_id)
            self._reports.pop(run_id, None)


def _read(path: Path) -> "EvaluationReport":
    from ocrstudio.evaluation.report_file import read

    return read(path)
