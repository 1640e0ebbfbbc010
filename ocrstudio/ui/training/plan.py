"""What the user chose for a training, what it means in words, and how it becomes a run. No Qt."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.embedded import EMBEDDED
from ocrstudio.domain.errors import DatasetError
from ocrstudio.domain.learning_curve import FEWEST_HELD_OUT, FEWEST_PAGES, MORE_PAGES, SHARES
from ocrstudio.domain.run import TrainMode
from ocrstudio.domain.wording import count_of
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.curve_pace import Pace, times_in_words
from ocrstudio.services.page_counts import PageCounts
from ocrstudio.services.run_requests import resolve_model
from ocrstudio.settings.app import load_app_settings
from ocrstudio.settings.train import TrainConfig, load_train_config
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task

MODE_WORDS: Mapping[TrainMode, tuple[str, str]] = {
    TrainMode.VISION: ("Vision", "Adapts how pages are seen: new fonts, scripts, scans, layouts."),
    TrainMode.LLM: ("Language model", "Adapts what is written: your Markdown style, terms, a language."),
    TrainMode.BOTH: ("Both", "Adapts seeing and writing: the most change, the most memory."),
    TrainMode.FULL: (
        "Full",
        "Trains every weight, without an adapter: for small students.",
    ),
}
DEEPSEEK_OCR = "DeepSeek-OCR"
_LEARNS_TO_SEE = "Training pages look different in each pass; held-out pages stay as they are."
_DOES_NOT_SEE = (
    "Matters most in modes Vision and Both: in this one the vision part is not trained, and every page has "
    "to be encoded anew in each pass."
)
_ACCEPTED = PageStatus.ACCEPTED
_TO_REVIEW = (PageStatus.DRAFT, PageStatus.IN_REVIEW, PageStatus.FLAGGED)
_PARTS: Mapping[TrainMode, str] = {
    TrainMode.VISION: "the vision part of ",
    TrainMode.LLM: "the language model of ",
    TrainMode.BOTH: "both parts of ",
    TrainMode.FULL: "every weight of ",
}
_FEW_PASSES = 10
"""Below this many, a tenth of a pass matters to the reader."""

Progress = Callable[[int, int, str], None]


class DataSource(StrEnum):
    """Where the samples come from."""

    WORKSPACE = "workspace"
    FILE = "file"


@dataclass(frozen=True)
class TrainingPlan:
    """What the user chose.

    Attributes:
        source: Accepted pages of the workspace, or a file.
        dataset: The JSONL file for `DataSource.FILE`.
        task: Id of the task whose prompt is trained, for `DataSource.WORKSPACE`.
        eval_fraction: Share of the pages that is held out.
        embedded: Word of the built-in student that is trained; empty for DeepSeek-OCR.
        mode: Which part is adapted.
        config_file: The user's YAML file, or None for the shipped values.
        overrides: Values changed in the window, by dotted key.
        curve: Whether a learning curve is measured: trainings on a quarter, a half and all pages.
    """

    source: DataSource
    dataset: Path | None
    task: str
    eval_fraction: float
    embedded: str
    mode: TrainMode
    config_file: Path | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    curve: bool = False


@dataclass(frozen=True)
class DataFacts:
    """What is known of the data before the start.

    Attributes:
        pages: Pages of the workspace.
        samples: Usable lines of the chosen file, or None while unknown.
        remark: What is wrong with the file, or empty.
        pace: What earlier runs of the same kind took, where a learning curve is asked for.
    """

    pages: PageCounts = field(default_factory=PageCounts)
    samples: int | None = None
    remark: str = ""
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True)
class Preview:
    """The sentence before the start.

    Attributes:
        text: What will happen, or what is missing.
        ready: Whether the start button works.
    """

    text: str
    ready: bool


def resolve_config(plan: TrainingPlan) -> TrainConfig:
    """The configuration of a plan.

    Raises:
        ConfigError: The file or a value cannot be used.
    """
    overrides = dict(plan.overrides)
    if plan.source is DataSource.WORKSPACE:
        overrides["training.eval_fraction"] = 0.0  # the export holds pages out already
    return load_train_config(plan.config_file, overrides or None, plan.embedded or None, plan.mode)


def preview(plan: TrainingPlan, config: TrainConfig, facts: DataFacts) -> Preview:
    """Says how many pages are trained on, how long, and what changes; or what has to be done first."""
    if plan.source is DataSource.WORKSPACE:
        accepted, documents = facts.pages.pages(_ACCEPTED), facts.pages.documents(_ACCEPTED)
        if not accepted:
            return Preview(_nothing_accepted(facts.pages), ready=False)
        held_out = facts.pages.held_out({_ACCEPTED}, plan.eval_fraction, config.training.seed)
        pages = accepted - held_out
        data = f"{count_of(accepted, 'accepted page')} of {count_of(documents, 'document')}"
        data += f", {held_out:,} of them held out for evaluation" if held_out else ", none held out"
    else:
        if plan.dataset is None:
            return Preview("Choose a JSONL file with the samples.", ready=False)
        if facts.remark or not facts.samples:
            return Preview(facts.remark or f"Reading {plan.dataset.name}…", ready=False)
        fraction = config.training.eval_fraction
        pages = round(facts.samples * (1 - fraction))
        held_out = facts.samples - pages
        data = f"{count_of(facts.samples, 'sample')} of {plan.dataset.name}"
        data += f", about {fraction:.0%} of them held out for evaluation" if fraction else ", none held out"
    if problem := _too_few(plan, pages, held_out):
        return Preview(problem, ready=False)
    student = EMBEDDED[plan.embedded].in_text if plan.embedded else DEEPSEEK_OCR
    trained = f"Trains {_PARTS[plan.mode]}{student}"
    if plan.curve:
        return Preview(
            f"{trained} on {_curve(data, config, pages, facts.pace)} {_promise(held_out)}", ready=True
        )
    return Preview(f"{trained} on {data}: {_length(config, pages)}.", ready=True)


def augment_words(mode: TrainMode, config: TrainConfig) -> str:
    """What ``training.augment`` means in a mode; empty while it is off."""
    if config.training.augment == "off":
        return ""
    return _DOES_NOT_SEE if mode is TrainMode.LLM else _LEARNS_TO_SEE


def example_page(plan: TrainingPlan, root: Path, page_id: int | None) -> tuple[str, Path]:
    """The picture of a page that the plan is about (slow).

    Args:
        plan: What was chosen.
        root: The workspace.
        page_id: The page in view; for pages of the workspace it goes before the first accepted one.

    Returns:
        What to call it, and its file.

    Raises:
        OcrStudioError: There is none, or it cannot be drawn.
    """
    from ocrstudio.datasets import read_dataset
    from ocrstudio.services.page_drawing import PageDrawer
    from ocrstudio.services.workspaces import page_image

    if plan.source is DataSource.FILE:
        samples = read_dataset(plan.dataset).samples if plan.dataset is not None else ()
        found = next((sample.image for sample in samples if sample.image is not None), None)
        if found is None:
            raise DatasetError("The dataset has no page to show.", "Choose a JSONL file with pictures.")
        return found.name, found
    settings = load_app_settings()
    with Workspace.open(root) as workspace, PageDrawer(settings.max_page_seconds) as drawer:
        rows = workspace.pages.list()
        chosen = [row for row in rows if row.page.id == page_id]
        chosen += [row for row in rows if row.page.status is _ACCEPTED] or rows
        if not chosen:
            raise DatasetError("The workspace has no page to show.", "Import a document first.")
        row = chosen[0]
        file = page_image(
            workspace, row.page, settings.default_dpi, settings.max_image_pixels, draw=drawer.draw
        )
        return f"Page {row.page.index + 1} of {row.document_name}", file


def prepare_run(plan: TrainingPlan, config: TrainConfig, root: Path, task: Task, told: Progress) -> RunFolder:
    """Exports the accepted pages when they are to be trained on, and writes the run folder (slow).

    Args:
        plan: What was chosen.
        config: Its configuration.
        root: The workspace.
        task: The task of the plan.
        told: Called with pages done, pages in all, and words.

    Raises:
        OcrStudioError: The data cannot be exported or used, or the run folder cannot be written.
    """
    from ocrstudio.services.dataset_export import export_workspace
    from ocrstudio.services.learning_curve import create_learning_curve
    from ocrstudio.services.training import TrainingRequest, create_training_run

    dataset, held_out = plan.dataset, None
    with Workspace.open(root) as workspace:
        if plan.source is DataSource.WORKSPACE:
            report = export_workspace(
                workspace,
                workspace.exports_folder / time.strftime("training-%Y%m%d-%H%M%S"),
                task,
                plan.eval_fraction,
                seed=config.training.seed,
                progress=lambda done, total: told(done, total, "exporting accepted pages"),
            )
            dataset, held_out = report.train, report.evaluation
        if dataset is None:
            raise DatasetError("No dataset was chosen.", "Choose a JSONL file.")
        told(0, 0, "checking the dataset")
        request = TrainingRequest(
            dataset=dataset,
            eval_dataset=held_out,
            mode=plan.mode,
            model=plan.embedded or None,
            title=_title(plan, root),
        )
        create = create_learning_curve if plan.curve else create_training_run
        return create(workspace.runs_folder, request, config)


def model_of(plan: TrainingPlan, config: TrainConfig) -> str:
    """The base model as runs record it."""
    return resolve_model(plan.embedded or config.model.base_model_path)


def _title(plan: TrainingPlan, root: Path) -> str:
    student = EMBEDDED[plan.embedded].title if plan.embedded else DEEPSEEK_OCR
    data = root.name if plan.source is DataSource.WORKSPACE or plan.dataset is None else plan.dataset.stem
    return f"{student}, {MODE_WORDS[plan.mode][0].lower()}, {data}"


def _too_few(plan: TrainingPlan, pages: int, held_out: int) -> str:
    """Why there can be no learning curve, or nothing."""
    if plan.curve and not held_out:
        return "A learning curve is measured on held-out pages: hold some out."
    if plan.curve and pages < FEWEST_PAGES:
        return f"A learning curve needs at least {FEWEST_PAGES} pages to train on, and there are {pages}."
    return ""


def _curve(data: str, config: TrainConfig, pages: int, pace: Pace) -> str:
    """What a learning curve does and how long it may take."""
    steps = config.training.total_steps(pages)
    times = f", {times_in_words(len(SHARES), pace.step * steps)}" if pace.step is not None else ""
    return (
        f"a quarter, a half and all of {data}: three times {count_of(steps, 'step')}{times}, and the reading "
        "of the held-out pages."
    )


def _promise(held_out: int) -> str:
    if held_out < FEWEST_HELD_OUT:
        return f"To say what {MORE_PAGES} more pages would bring it needs {FEWEST_HELD_OUT} held-out pages."
    return f"Then it says what {MORE_PAGES} more pages would bring."


def _nothing_accepted(counts: PageCounts) -> str:
    to_review = counts.pages(*_TO_REVIEW)
    if to_review:
        waiting = f"{count_of(to_review, 'page')} with a draft"
        return f"No page is accepted yet. Review {waiting}: Ctrl+Enter accepts a page and goes on."
    return "No page is accepted yet. Draft pages in the Teacher panel, then review and accept them."


def _length(config: TrainConfig, pages: int) -> str:
    training = config.training
    batch = training.samples_per_step
    every = f"of {count_of(batch, 'page')}"
    if training.max_steps is None:
        steps = max(1, round((training.num_train_epochs or 1) * pages / batch))
        return f"{_passes(training.num_train_epochs or 1)} over them, about {count_of(steps, 'step')} {every}"
    passes = training.max_steps * batch / max(1, pages)
    return f"{count_of(training.max_steps, 'step')} {every}, about {_passes(passes)} over them"


def _passes(number: float) -> str:
    if number == 1:
        return "1 pass"
    return f"{number:.1f} passes" if number < _FEW_PASSES else f"{number:,.0f} passes"
