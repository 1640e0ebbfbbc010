"""Learning curves: from what the user asked for to the run that trains on a quarter, a half and all pages."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.datasets import Sample
from ocrstudio.datasets.forms.own import to_line
from ocrstudio.datasets.split import documents_of, split_pictures
from ocrstudio.datasets.subsets import Subsets, nested_subsets
from ocrstudio.domain.errors import DatasetError, InputError, RunError
from ocrstudio.domain.learning_curve import FEWEST_HELD_OUT, FEWEST_PAGES, SHARES
from ocrstudio.domain.names import nfc
from ocrstudio.domain.run import RunKind
from ocrstudio.domain.wording import count_of
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.jobs.training_environment import require_installed
from ocrstudio.services.curve_pace import measured_pace, plan_in_words
from ocrstudio.services.curve_record import CurvePart, CurveRecord, write_record
from ocrstudio.services.run_requests import base_revision, check_dataset, recorded_versions, resolve_model
from ocrstudio.services.training import TrainingRequest
from ocrstudio.settings.files import write_text
from ocrstudio.settings.train import TrainConfig

_HELD_OUT = "held-out.jsonl"


@dataclass(frozen=True)
class _Data:
    """The pages of a curve.

    Attributes:
        train: Lines that are trained on.
        held_out: Lines that are measured; blank pages may be among them.
        summary: The training dataset in a sentence.
        held_out_summary: The evaluation dataset in a sentence, or None where a part was held out.
        sha256: Hash of the training dataset.
        remark: What is to be known of the division, or empty.
    """

    train: tuple[Sample, ...]
    held_out: tuple[Sample, ...]
    summary: str
    held_out_summary: str | None
    sha256: str
    remark: str


def create_learning_curve(parent: Path, request: TrainingRequest, config: TrainConfig) -> RunFolder:
    """Check a request and write the folder of the curve's run; `ocrstudio.jobs.launch` starts it.

    Every training of the curve takes as many steps as one on all pages would, so that a small part is gone
    through more often, and is otherwise as asked for. The datasets of the parts are copied into the folder
    (their pictures are not): what happens to the original meanwhile does not change a curve that goes on.

    Args:
        parent: Folder that gets the run folder.
        request: What to do, as for a training; the adapter of the training on all pages is exported.
        config: The resolved configuration.

    Raises:
        DatasetError: A dataset cannot be used, or has too few pages.
        InputError: The request asks to go on from a checkpoint.
        RunError: Nothing that trains is installed, or the run folder cannot be written.
    """
    require_installed()
    if request.resume_from is not None:
        raise InputError(
            "The trainings of a learning curve all begin at the base model.",
            "Leave the checkpoint out; name the folder of a curve to go on with it.",
        )
    data = _read(request, config)
    pages = [nfc(sample.image_name) for sample in data.train]
    _require_pages(data, len(set(pages)))
    subsets = nested_subsets(
        documents_of([sample.image_name for sample in data.train]), pages, SHARES, config.training.seed
    )
    record = CurveRecord(
        parts=(CurvePart(0, 0, None, "results-0.json"), *_parts(subsets)),
        steps=config.training.total_steps(len(data.train)),
        divided_by=subsets.by,
        seed=config.training.seed,
        held_out=_HELD_OUT,
        held_out_pages=len(data.held_out),
    )
    folder = RunFolder.create(parent, _spec(parent, request, config, data, subsets, record))
    _write_data(folder.path, data, subsets, record)
    return folder


def _spec(
    parent: Path,
    request: TrainingRequest,
    config: TrainConfig,
    data: _Data,
    subsets: Subsets,
    record: CurveRecord,
) -> RunSpec:
    """What the run of the curve is to do, and what its trainings and evaluations have in common."""
    model = resolve_model(request.model or config.model.base_model_path)
    subject = request.title or f"{request.dataset.stem}, {request.mode.value}"
    pace = measured_pace([parent], model, request.mode.value, config)
    return RunSpec(
        kind=RunKind.CURVE,
        title=f"Learning curve: {subject}",
        created=time.time(),
        request={
            "dataset": str(request.dataset.resolve()),
            "dataset_summary": data.summary,
            "eval_dataset": str(request.eval_dataset.resolve()) if request.eval_dataset else None,
            "eval_dataset_summary": data.held_out_summary,
            "mode": request.mode.value,
            "model": model,
            "export_to": str(request.export_to.resolve()) if request.export_to else None,
            "strict": request.strict,
            "subject": subject,
            "plan": plan_in_words(subsets.pages, record.steps, record.held_out_pages, pace),
            "remarks": _remarks(data, subsets, config) or None,
        },
        config=_same_length(config, record.steps).model_dump(mode="json"),
        versions=recorded_versions(),
        dataset_sha256=data.sha256,
        base_model=model,
        base_revision=base_revision(model),
    )


def _read(request: TrainingRequest, config: TrainConfig) -> _Data:
    # All parts are evaluated, and an evaluation asks once about one page.
    checked = check_dataset(request.dataset, strict=request.strict, one_page=True, columns=request.columns)
    if request.eval_dataset is not None:
        held_out = check_dataset(
            request.eval_dataset,
            strict=request.strict,
            blank_pages=True,
            one_page=True,
            columns=request.columns,
        )
        return _Data(checked.samples, held_out.samples, checked.summary, held_out.summary, checked.sha256, "")
    names = [sample.image_name for sample in checked.samples]
    split = split_pictures(names, config.training.eval_fraction, config.training.seed)
    return _Data(
        train=tuple(checked.samples[index] for index in split.train),
        held_out=tuple(checked.samples[index] for index in split.evaluation),
        summary=checked.summary,
        held_out_summary=None,
        sha256=checked.sha256,
        remark=split.remark,
    )


def _require_pages(data: _Data, pages: int) -> None:
    if not data.held_out:
        raise DatasetError(
            "A learning curve is measured on held-out pages, and there are none.",
            "Give an evaluation set, or set training.eval_fraction above 0.",
        )
    if pages < FEWEST_PAGES:
        raise DatasetError(
            f"A learning curve needs at least {FEWEST_PAGES} training pages, and there "
            f"{'is' if pages == 1 else 'are'} {pages}.",
            "Accept more pages first, or train without a curve.",
        )


def _parts(subsets: Subsets) -> list[CurvePart]:
    return [
        CurvePart(pages, documents, f"train-{pages}.jsonl", f"results-{pages}.json")
        for pages, documents in zip(subsets.pages, subsets.documents, strict=True)
    ]


def _remarks(data: _Data, subsets: Subsets, config: TrainConfig) -> list[str]:
    """What the user should know before the first training."""
    remarks = [data.remark] if data.remark else []
    held_out = len(data.held_out)
    if held_out < FEWEST_HELD_OUT:
        are = "is" if held_out == 1 else "are"
        remarks.append(
            f"Only {count_of(held_out, 'page')} {are} held out: the curve will be measured, but that is "
            f"too few to say what more pages would bring (at least {FEWEST_HELD_OUT})."
        )
    if subsets.by == "page" and subsets.documents[-1] not in (1, subsets.pages[-1]):
        remarks.append(
            f"The {subsets.documents[-1]} documents are too few or too unequal to take a quarter and a half "
            "of them: the parts are pages of all documents. Those of new documents may bring more."
        )
    if config.training.early_stopping_patience is not None:
        remarks.append("The trainings of a curve all have the same length: early stopping is off.")
    return remarks


def _same_length(config: TrainConfig, steps: int) -> TrainConfig:
    changes = {
        "max_steps": steps,
        "num_train_epochs": None,
        "eval_fraction": 0.0,  # the held-out pages are a file of their own
        "early_stopping_patience": None,
    }
    return config.model_copy(update={"training": config.training.model_copy(update=changes)})


def _write_data(folder: Path, data: _Data, subsets: Subsets, record: CurveRecord) -> None:
    try:
        write_text(folder / record.held_out, _lines(data.held_out))
        for part, indices in zip(record.trainings, subsets.parts, strict=True):
            write_text(folder / str(part.dataset), _lines([data.train[index] for index in indices]))
    except OSError as error:
        raise RunError(
            f"The data of the curve cannot be written to {folder}: {error.strerror or error}.",
            "Choose a folder that you can write to, or free some disk space.",
        ) from error
    write_record(folder, record)


def _lines(samples: Sequence[Sample]) -> str:
    """Lines of a dataset that lies elsewhere than its pictures."""
    return "".join(
        f"{to_line(sample.turns, [str(image) for image in sample.images])}\n" for sample in samples
    )
