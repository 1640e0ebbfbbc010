"""The body of a learning curve's run: trainings and evaluations one after another, each a run of its own.

This process loads nothing of the student; it starts workers and waits for them. It may be stopped or killed
at any moment: ``curve.json`` names every run, and who goes on with the curve takes what has finished, goes on
with what was stopped, and watches what still runs.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import TrainMode
from ocrstudio.domain.wording import count_of
from ocrstudio.evaluation.curve_verdict import outlook
from ocrstudio.evaluation.learning_curve import Measurement
from ocrstudio.evaluation.report import EvaluationReport, character_edits, read
from ocrstudio.jobs.context import RunContext
from ocrstudio.jobs.events import Event
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.curve_base import measured_base
from ocrstudio.services.curve_child import Child, follow_to_end
from ocrstudio.services.curve_pace import working_seconds
from ocrstudio.services.curve_record import (
    CurvePart,
    CurveRecord,
    outlook_to_json,
    read_record,
    write_record,
)
from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
from ocrstudio.services.training import TrainingRequest, create_training_run
from ocrstudio.settings.train import TrainConfig


def run_curve(context: RunContext) -> dict[str, Any]:
    """Measure a learning curve.

    Args:
        context: The run; `learning_curve.create_learning_curve` describes its request.

    Returns:
        The summary: the points, what more pages would bring, and the adapter of the training on all pages;
        of a curve that was stopped, the points so far.

    Raises:
        OcrStudioError: A part failed; the others are kept, and resuming goes on with it.
    """
    return _Curve(context).run()


class _Curve:
    """The points, from none to all pages."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._folder: RunFolder = context.folder
        self._request = context.folder.spec.request
        self._config = _config_of(context.folder)
        self._record: CurveRecord = read_record(context.folder.path)
        self._warned: set[str] = set()

    def run(self) -> dict[str, Any]:
        for remark in self._request["remarks"] or ():
            self._context.emit("warning", message=remark)
        for number, part in enumerate(self._record.parts):
            if part.cer is None and not self._measure(number):
                return {"stopped": True, **self._figures()}
            self._context.emit("point", **asdict(self._record.parts[number]))
        if self._record.outlook is None:
            self._conclude()
        return {"stopped": False, **self._figures()}

    # A point

    def _measure(self, number: int) -> bool:
        """Train and evaluate; false when the curve was stopped before both were done."""
        training = None
        if self._record.parts[number].dataset is not None:
            training = self._train(number)
            if training is None:
                return False
        report_path = self._folder.path / self._record.parts[number].report
        known = training is None and self._take_base(number, report_path)
        if not known and not self._evaluate(number, training, report_path):
            return False
        report = read(report_path)
        interval = report.overall.cer.interval
        runs = (training, self._known(self._record.parts[number].evaluation))
        self._update(
            number,
            cer=report.overall.cer.corpus,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            eval_loss=_eval_loss(training),
            seconds=round(sum(working_seconds(run) for run in runs if run is not None), 1),
        )
        return True

    def _train(self, number: int) -> RunFolder | None:
        part = self._record.parts[number]
        trainings = self._record.trainings
        place = trainings.index(part)
        words = f"Training {place + 1} of {len(trainings)}, on {self._words_of(part)}"
        self._context.emit("phase", name="train", message=words)
        folder = self._known(part.training)
        if folder is None:
            if self._context.should_stop():
                return None
            folder = create_training_run(self._runs, self._training_request(part), self._config)
            self._update(number, training=folder.id, evaluation=None)  # one of a deleted run is of no use

        def tell(event: Event) -> None:
            if event.type == "progress" and event.data.get("unit") == "steps":
                self._progress(place, event.data)
            self._pass_on(event)

        child = Child(folder, f"The training on {self._words_of(part)}", tell)
        return folder if self._finish(child) else None

    def _evaluate(self, number: int, training: RunFolder | None, report: Path) -> bool:
        part = self._record.parts[number]
        student = f"the student of {self._words_of(part)}" if training else "the student before any training"
        pages = count_of(self._record.held_out_pages, "held-out page")
        self._context.emit("phase", name="evaluate", message=f"Reading {pages} with {student}")
        folder = self._known(part.evaluation)
        if folder is None:
            if self._context.should_stop():
                return False
            request = EvaluationRequest(
                dataset=self._folder.path / self._record.held_out,
                output=report,
                model=str(self._request["model"]),
                adapter=training.adapter if training else None,
                strict=bool(self._request.get("strict")),
                title=self._title(self._words_of(part) if training else "not trained"),
                curve=self._folder.id,
            )
            folder = create_evaluation_run(self._runs, request, self._config, {})
            self._update(number, evaluation=folder.id)

        def tell(event: Event) -> None:
            if event.type == "progress":
                left = self._left_after(number, event.data.get("seconds_left"))
                self._context.emit("progress", **{**event.data, "seconds_left": left})
            self._pass_on(event)

        return self._finish(Child(folder, f"The evaluation of {student}", tell))

    def _take_base(self, number: int, report: Path) -> bool:
        """Take the evaluation of the untrained student from an earlier run, if one fits."""
        if self._record.parts[number].evaluation is not None:
            return False
        found = measured_base(
            self._runs, self._folder.path / self._record.held_out, str(self._request["model"]), self._config
        )
        if found is None:
            return False
        run, source = found
        shutil.copyfile(source, report)
        self._update(number, evaluation=run.id)
        self._context.emit(
            "phase", name="evaluate", message=f"The student before any training was measured in {run.id}"
        )
        return True

    def _training_request(self, part: CurvePart) -> TrainingRequest:
        is_last = part is self._record.parts[-1]
        asked = self._request.get("export_to")
        return TrainingRequest(
            dataset=self._folder.path / str(part.dataset),
            mode=TrainMode(str(self._request["mode"])),
            model=str(self._request["model"]),
            eval_dataset=self._folder.path / self._record.held_out,
            export_to=Path(asked) if asked and is_last else None,
            strict=bool(self._request.get("strict")),
            title=self._title(self._words_of(part)),
            curve=self._folder.id,
        )

    # What more pages would bring

    def _conclude(self) -> None:
        points = []
        for part in self._record.parts:
            report: EvaluationReport = read(self._folder.path / part.report)
            points.append(Measurement(part.pages, character_edits(report)))
        found = outlook(points[0], points[1:], seed=self._record.seed)
        self._record = replace(self._record, outlook=outlook_to_json(found))
        write_record(self._folder.path, self._record)

    def _figures(self) -> dict[str, Any]:
        record = self._record
        last = record.parts[-1]
        adapter = self._runs / str(last.training) / "adapter"
        return {
            "points": [asdict(part) for part in record.measured],
            "trainings": len(record.trainings),
            "held_out_pages": record.held_out_pages,
            "divided_by": record.divided_by,
            "outlook": record.outlook,
            "cer": last.cer,
            "adapter": str(adapter) if last.training and adapter.is_dir() else None,
            "seconds": round(sum(part.seconds or 0.0 for part in record.measured), 1),
        }

    # Runs

    @property
    def _runs(self) -> Path:
        return self._folder.path.parent

    def _known(self, run_id: str | None) -> RunFolder | None:
        """The run of a part; None when there is none yet, or its folder was deleted meanwhile."""
        path = self._runs / run_id if run_id else None
        return RunFolder(path) if path is not None and path.is_dir() else None

    def _finish(self, child: Child) -> bool:
        return follow_to_end(child, self._context)

    def _update(self, number: int, **changes: Any) -> None:  # noqa: ANN401 - the fields of a part
        parts = list(self._record.parts)
        parts[number] = replace(parts[number], **changes)
        self._record = replace(self._record, parts=tuple(parts))
        write_record(self._folder.path, self._record)

    def _title(self, what: str) -> str:
        """Of a run; what tells it from the others comes first, because lists cut titles off."""
        return f"Curve, {what}: {self._request['subject']}"

    def _words_of(self, part: CurvePart) -> str:
        every = self._record.parts[-1].pages
        pages = count_of(part.pages, "page") if part.pages == every else f"{part.pages:,} of {every:,} pages"
        if self._record.divided_by == "document" and part.documents:
            return f"{pages} ({count_of(part.documents, 'document')})"
        return pages

    # Telling

    def _progress(self, place: int, data: Mapping[str, Any]) -> None:
        """Steps over all trainings; the time left is that of this training and of all that follows."""
        steps, count = self._record.steps, len(self._record.trainings)
        done, left = int(data.get("done") or 0), data.get("seconds_left")
        if isinstance(left, int | float) and done < steps:
            left = round(
                left * (1 + (count - place - 1) * steps / (steps - done)) + self._evaluations_left(), 1
            )
        self._context.emit(
            "progress", done=place * steps + done, total=count * steps, unit="steps", seconds_left=left
        )

    def _left_after(self, number: int, left: object) -> float | None:
        """Seconds until the end, seen from an evaluation; None before a training has shown its length."""
        known = [part.seconds for part in self._record.trainings if part.seconds]
        waiting = len(self._record.parts) - number - 1
        if not isinstance(left, int | float) or (waiting and not known):
            return None
        return round(left + waiting * (known[-1] if known else 0.0), 1)

    def _evaluations_left(self) -> float:
        """Seconds for the evaluations that follow, as long as that of the untrained student took."""
        first = self._record.parts[0].seconds or 0.0
        return first * sum(part.cer is None for part in self._record.parts)

    def _pass_on(self, event: Event) -> None:
        """What the user should know of a part; the same warning of three trainings is said once."""
        if event.type == "queued":
            self._context.emit("queued", **event.data)
        elif event.type == "warning" and (message := str(event.data.get("message", ""))) not in self._warned:
            self._warned.add(message)
            self._context.emit("warning", message=message)


def _config_of(folder: RunFolder) -> TrainConfig:
    try:
        return TrainConfig.model_validate(folder.spec.config)
    except ValidationError as error:
        raise RunError(
            f"The configuration of the curve {folder.id} was written by another version of OCR Studio.",
            "Start a new learning curve; its parts would not be comparable.",
        ) from error


def _eval_loss(training: RunFolder | None) -> float | None:
    """The evaluation loss of the adapter that a training kept."""
    summary = (training.summary() if training else None) or {}
    losses = {int(step): float(loss) for step, loss in summary.get("eval_losses") or []}
    return losses.get(int(summary.get("adapter_step") or 0))
