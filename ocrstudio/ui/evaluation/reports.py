"""Reads the reports of finished evaluations and compares them in the background; what is shown is kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.ui.background import Background

if TYPE_CHECKING:
    from ocrstudio.evaluation.results import EvaluationReport
    from ocrstudio.ui.evaluation.comparison import Compared

_View = tuple[str, str, str | None]


class Reports:
    """Reports by run, and comparisons of two of them.

    Args:
        background: Where files are read and pages are measured again.
        changed: Called when a report or a comparison is there.
        failed: Called with the problem of a report that cannot be read.
    """

    def __init__(
        self, background: Background, changed: Callable[[], None], failed: Callable[[OcrStudioError], None]
    ) -> None:
        self._background = background
        self._changed = changed
        self._failed = failed
        self._reports: dict[str, EvaluationReport] = {}
        self._asked: set[str] = set()
        self._views: dict[_View, Compared] = {}
        self._measuring: set[_View] = set()

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
                self._changed()

        self._background.run(lambda _: _read(path), done, self._failed)

    def compared(
        self, run_id: str, other: str, others: Mapping[str, Path], profile: str | None
    ) -> "Compared | None":
        """A report beside another one, once both were read and measured; asks for what is missing.

        Args:
            run_id: The chosen run, whose report was read.
            other: The run that it is compared with, or empty.
            others: Report files of the runs that can be compared with.
            profile: Name of a profile, or None for that of the chosen report.
        """
        if other in others:
            self.ask(other, others[other])
        second = self._reports.get(other)
        view = (run_id, other if second is not None else "", profile)
        if view not in self._views:
            self._measure(view, self._reports[run_id], second)
        return self._views.get(view)

    def _measure(self, view: _View, report: "EvaluationReport", other: "EvaluationReport | None") -> None:
        if view in self._measuring:
            return
        self._measuring.add(view)

        def done(compared: "Compared") -> None:
            self._measuring.discard(view)
            if self._reports.get(view[0]) is report:
                self._views[view] = compared
                self._changed()

        def failed(problem: OcrStudioError) -> None:
            self._measuring.discard(view)
            self._failed(problem)

        self._background.run(lambda _: _compare(report, other, view[2]), done, failed)

    def forget(self, run_id: str | None = None) -> None:
        """Forgets the report of one run, or all of them."""
        if run_id is None:
            self._asked.clear()
            self._reports.clear()
        else:
            self._asked.discard(run_id)
            self._reports.pop(run_id, None)
        self._views = {view: seen for view, seen in self._views.items() if run_id and run_id not in view[:2]}


def _read(path: Path) -> "EvaluationReport":
    from ocrstudio.evaluation.report_file import read

    return read(path)


def _compare(report: "EvaluationReport", other: "EvaluationReport | None", profile: str | None) -> "Compared":
    from ocrstudio.ui.evaluation.comparison import compare

    return compare(report, other, profile)
