"""An evaluation run: the student answers every page of a dataset, and the answers are measured.

Predictions are written as they come; a run that was stopped or interrupted goes on behind the last one.
Base model and adapter are measured in the same way, so that their reports can be compared.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ocrstudio.datasets import Columns, Sample, read_dataset
from ocrstudio.domain.errors import DatasetError, InputError, RunError
from ocrstudio.evaluation.profiles import profile_of
from ocrstudio.evaluation.report import EvaluationReport, PageResult, Pair, block_figures, build_report, write
from ocrstudio.jobs.context import RunContext
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.postprocess import process
from ocrstudio.settings.train import TrainConfig
from ocrstudio.student.adapters import read_info
from ocrstudio.student.failures import PREDICTION_MEMORY_ADVICE, sentences
from ocrstudio.student.generation import (
    TRUNCATED,
    GenerationStopped,
    Generator,
    PageAnswer,
    PageRequest,
)
from ocrstudio.student.inference import open_student
from ocrstudio.student.predictions import PREDICTIONS_FILE, Prediction, PredictionLog
from ocrstudio.student.request import optional_path, read_config

_GROUNDING = "<|grounding|>"
_BOX_TAG = "<|det|>"
_GROUNDING_CLEANUP = "deepseek-document"
_EXCERPT = 300  # characters of a prediction in an event; the report has all of them


@dataclass(frozen=True)
class EvaluationRun:
    """What an evaluation run was asked to do.

    Attributes:
        dataset: File or folder with the reference answers.
        prompt: Replaces the prompt of every line; None keeps them.
        model: Model folder, or the word of an embedded student.
        adapter: Adapter folder, or None for the model alone.
        output: Report file, or None for the run folder's own.
        strict: Whether a line or a picture that cannot be used ends the run.
        config: Image settings, batch size, how answers are written (``evaluation``) and compared
            (``scoring``).
        columns: Where picture and text stand in the dataset, as the user said, or None.
    """

    dataset: Path
    prompt: str | None
    model: str
    adapter: Path | None
    output: Path
    strict: bool
    config: TrainConfig
    columns: Columns | None = None


def read_evaluation_run(folder: RunFolder) -> EvaluationRun:
    """Read and check the request of an evaluation run.

    Raises:
        RunError: A field is missing or cannot be.
    """
    request = folder.spec.request
    try:
        return EvaluationRun(
            dataset=Path(request["dataset"]),
            prompt=request.get("prompt"),
            model=str(request["model"]),
            adapter=optional_path(request, "adapter"),
            output=optional_path(request, "output") or folder.path / "results.json",
            strict=bool(request.get("strict")),
            config=read_config(folder),
            columns=Columns.of_request(request),
        )
    except KeyError as error:
        raise RunError(f"The run {folder.id} does not say its {error.args[0]}.") from error


def evaluate(context: RunContext) -> dict[str, Any]:
    """Run an evaluation.

    Args:
        context: The run; `EvaluationRun` describes its request.

    Returns:
        The summary: pages, overall error rates (fractions), the report file, and whether the run was stopped.

    Raises:
        OcrStudioError: Whatever went wrong, in one sentence; predictions made so far are kept.
    """
    run = read_evaluation_run(context.folder)
    with sentences(context.folder, PREDICTION_MEMORY_ADVICE):
        return _Evaluation(run, context).run()


class _Evaluation:
    """The stages of an evaluation."""

    def __init__(self, run: EvaluationRun, context: RunContext) -> None:
        self._run = run
        self._context = context
        self._started = time.monotonic()
        self._profile = profile_of(run.config.scoring)

    def run(self) -> dict[str, Any]:
        samples = self._read()
        with PredictionLog(self._context.folder.path / PREDICTIONS_FILE) as log:
            predictions = dict(log.known)
            waiting = [sample for sample in samples if sample.line not in predictions]
            if len(waiting) < len(samples):
                self._phase("predict", f"{len(samples) - len(waiting)} pages were predicted before")
            done = len(samples) - len(waiting)
            for sample, prediction in self._predict(waiting):
                log.append(prediction)
                predictions[sample.line] = prediction
                done += 1
                self._tell(sample, prediction, done, len(samples), new=done - len(log.known))
        if len(predictions) < len(samples):
            return {"stopped": True, "pages": len(predictions), "planned_pages": len(samples)}
        return self._report(samples, predictions)

    def _read(self) -> Sequence[Sample]:
        self._phase("data", "Reading the dataset")
        dataset = read_dataset(
            self._run.dataset,
            strict=self._run.strict,
            blank_pages=True,
            one_page=True,
            columns=self._run.columns,
        )
        if dataset.problems:
            self._context.emit("warning", message=f"{dataset.path.name}: {dataset.summary()}.")
        if not dataset.samples:
            raise DatasetError(f"{self._run.dataset} holds no page that can be evaluated.")
        return dataset.samples

    def _predict(self, samples: Sequence[Sample]) -> Iterator[tuple[Sample, Prediction]]:
        """Predictions as they are ready, until the end or a stop request."""
        if not samples:
            return
        self._phase(
            "model", f"Loading {self._run.model}" + (" with its adapter" if self._run.adapter else "")
        )
        model = self._run.config.model
        student = open_student(
            self._run.model, self._run.adapter, self._run.config.image, load_in_4bit=model.load_in_4bit
        )
        for remark in student.remarks:
            self._context.emit("warning", message=remark)
        self._phase("predict", f"Predicting {len(samples)} pages")
        size = self._run.config.training.per_device_eval_batch_size
        generator = Generator(
            student.model,
            student.processor,
            self._run.config.evaluation,
            rows=None if torch.cuda.is_available() else size,
        )
        pages = [PageRequest(sample.image, self._run.prompt or sample.prompt) for sample in samples]
        try:
            for index, answer in generator.stream(pages, self._context.should_stop):
                if isinstance(answer, InputError) and self._run.strict:
                    raise DatasetError(
                        f"{self._run.dataset}, line {samples[index].line}: {answer.message}",
                        "Mend the picture or remove the line; without --strict the page counts as missing.",
                    )
                yield samples[index], _prediction(samples[index], answer)
        except GenerationStopped:
            return

    def _tell(self, sample: Sample, prediction: Prediction, done: int, total: int, *, new: int) -> None:
        result = build_report([self._pair(sample, prediction, sample.image_name)], self._profile).pages[0]
        seconds = (time.monotonic() - self._started) / max(new, 1)
        self._context.emit("sample", kind="evaluation", **_event_fields(sample, result))
        self._context.emit(
            "progress", done=done, total=total, unit="pages", seconds_left=round(seconds * (total - done), 1)
        )

    def _pair(self, sample: Sample, prediction: Prediction, key: str) -> Pair:
        return Pair.of_picture(
            sample.image_name,
            sample.answer,
            comparable_text(sample, prediction, self._run.prompt or sample.prompt),
            key=key,
            truncated=prediction.truncated,
            error=prediction.error,
        )

    def _report(self, samples: Sequence[Sample], predictions: dict[int, Prediction]) -> dict[str, Any]:
        self._phase("report", "Measuring")
        uses = Counter(sample.image_name for sample in samples)
        pairs = []
        for sample in samples:
            name = sample.image_name
            key = name if uses[name] == 1 else f"{name} (line {sample.line})"
            pairs.append(self._pair(sample, predictions[sample.line], key))
        title = self._context.folder.spec.title
        report = build_report(pairs, self._profile, title=title, system=self._system())
        write(report, self._run.output)
        return {**self._figures(report, predictions), "stopped": False, "output": str(self._run.output)}

    def _system(self) -> dict[str, Any]:
        """What the figures hold for; nothing in it depends on the references or on the batch."""
        config = self._run.config
        info = read_info(self._run.adapter) if self._run.adapter else None
        return {
            "model": self._run.model,
            "adapter": str(self._run.adapter) if self._run.adapter else None,
            "prompt": self._run.prompt,
            "image": dict(info.image) if info else config.image.model_dump(),
            "trained_with_augment": info.augment if info else None,
            "decoding": config.evaluation.model_dump(mode="json"),
        }

    def _figures(self, report: EvaluationReport, predictions: dict[int, Prediction]) -> dict[str, Any]:
        overall = report.overall
        tokens = sum(prediction.tokens for prediction in predictions.values())
        seconds = sum(prediction.seconds for prediction in predictions.values())
        return {
            "pages": overall.pages,
            "missing": overall.missing,
            "cer": overall.cer.corpus,
            "cer_median": overall.cer.median,
            "wer": overall.wer.corpus,
            "ned": overall.ned,
            **block_figures(overall),
            "truncated_rate": overall.truncated_rate,
            "runaway_rate": overall.runaway_rate,
            "profile": report.profile.describe(),
            "model": self._run.model,
            "adapter": str(self._run.adapter) if self._run.adapter else None,
            "max_tokens": self._run.config.evaluation.max_tokens,
            "tokens": tokens,
            "seconds": round(time.monotonic() - self._started, 1),
            "tokens_per_second": round(tokens / seconds, 1) if seconds else None,
        }

    def _phase(self, name: str, message: str) -> None:
        self._context.emit("phase", name=name, message=message)


def _prediction(sample: Sample, answer: PageAnswer | InputError) -> Prediction:
    if isinstance(answer, InputError):
        return Prediction(sample.line, None, error=answer.message)
    return Prediction(sample.line, answer.text, TRUNCATED in answer.flags, answer.tokens, answer.seconds)


def comparable_text(sample: Sample, prediction: Prediction, prompt: str) -> str | None:
    """The prediction in the form of the reference.

    A grounding prompt makes the model write boxes; references without boxes are compared with the
    Markdown that post-processing makes of it.
    """
    if prediction.raw is None:
        return None
    if _GROUNDING in prompt and _BOX_TAG not in sample.answer:
        return process(prediction.raw, _GROUNDING_CLEANUP).text
    return prediction.raw


def _event_fields(sample: Sample, result: PageResult) -> dict[str, Any]:
    """A row of the live table; long texts are left to the report."""
    fields = asdict(result)
    del fields["reference"]
    fields["prediction"] = (result.prediction or "")[:_EXCERPT]
    return {**fields, "line": sample.line, "image": str(sample.image)}
