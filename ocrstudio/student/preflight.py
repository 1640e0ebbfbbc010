"""Everything that can be known before weights are loaded: bad samples, lengths, space, useless settings.

A problem here costs seconds; the same problem in the middle of a training costs the training. Samples
that cannot be used are counted and named, and with ``strict`` the first of them ends the run.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ocrstudio.datasets import Dataset, read_dataset
from ocrstudio.datasets.split import split_pictures
from ocrstudio.domain.errors import DatasetError, InputError, RunError
from ocrstudio.domain.wording import count_of, size_of
from ocrstudio.imaging.size import reader_threads
from ocrstudio.jobs.context import RunContext
from ocrstudio.settings.train import TrainingConfig
from ocrstudio.student.arguments import StepPlan, plan_steps, schedule_warnings
from ocrstudio.student.collator import Collator
from ocrstudio.student.examples import Example, Length, LengthStatistics
from ocrstudio.student.loader_workers import prepare_to_fork
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.request import TrainRequest
from ocrstudio.student.turns import augmentation_of

_SHOWN_SAMPLES = 3
_NAMED_PROBLEMS = 5
_NAMED_LINES = 50
_SHOWN_CHARACTERS = 2_000
_TELL_EVERY = 2.0  # seconds
_CHECKPOINT_BYTES_PER_PARAMETER = 12  # float32 weight and two moments of AdamW


@dataclass(frozen=True)
class Preflight:
    """A dataset that is ready for training.

    Attributes:
        train: Usable training examples, in the order of the file.
        evaluation: Usable evaluation examples, the longest first, so that little is padded; empty when
            there are none.
        longest: Indices into `train` of the longest examples first, for the memory probe.
        lengths: Of each training example.
        evaluation_lengths: Of each evaluation example.
        image_positions: Placeholders of all examples, those for evaluation too.
        plan: Number of steps.
        skipped: Lines of both files that are left out.
    """

    train: tuple[Example, ...]
    evaluation: tuple[Example, ...]
    longest: tuple[int, ...]
    lengths: tuple[Length, ...]
    evaluation_lengths: tuple[Length, ...]
    image_positions: int
    plan: StepPlan
    skipped: int


def run_preflight(request: TrainRequest, collator: Collator, context: RunContext) -> Preflight:
    """Read the datasets and check them against the model's processor.

    Args:
        request: The run.
        collator: Of the model and image settings of the run.
        context: Receives warnings and the samples as the model will see them.

    Raises:
        DatasetError: No sample is usable; or, when strict, any sample is not.
    """
    examples, held_out, skipped = _read(request, context)
    train, lengths, dropped = _measure(examples, collator, request, context, "training")
    evaluation, their_lengths, dropped_there = _measure(held_out, collator, request, context, "evaluation")
    if not train:
        raise DatasetError(
            f"{request.dataset} holds no sample that can be used for training.",
            "The warnings of this run name every problem.",
        )
    training = request.config.training
    plan = plan_steps(training, len(train))
    for warning in schedule_warnings(training, plan, has_evaluation=bool(evaluation)):
        context.emit("warning", message=warning)
    sentence = f"{LengthStatistics.of(lengths).sentence()}; {len(evaluation)} for evaluation"
    context.emit("phase", name="data", message=sentence)
    if training.augment != "off":
        prepare_to_fork()
        context.emit(
            "phase",
            name="data",
            message=f"Training pages are degraded, differently in each pass (training.augment is "
            f"{training.augment}); evaluation pages are not",
        )
    longest = _longest_first(lengths)
    # Of a small dataset the first, the middle and the longest may be one and the same.
    shown = dict.fromkeys((0, len(train) // 2, longest[0], *range(min(len(train), _SHOWN_SAMPLES))))
    for index in list(shown)[:_SHOWN_SAMPLES]:
        seen = replace(train[index], augmentation=augmentation_of(train[index], training, 0))
        _show(seen, lengths[index], collator, context)
    order = _longest_first(their_lengths)
    return Preflight(
        train=tuple(train),
        evaluation=tuple(evaluation[index] for index in order),
        longest=tuple(longest),
        lengths=tuple(lengths),
        evaluation_lengths=tuple(their_lengths[index] for index in order),
        image_positions=sum(length.image for length in [*lengths, *their_lengths]),
        plan=plan,
        skipped=skipped + dropped + dropped_there,
    )


def _longest_first(lengths: Sequence[Length]) -> list[int]:
    return sorted(range(len(lengths)), key=lambda index: lengths[index].total, reverse=True)


def _read(request: TrainRequest, context: RunContext) -> tuple[list[Example], list[Example], int]:
    dataset = read_dataset(request.dataset, strict=request.strict, columns=request.columns)
    _report_lines(dataset, context)
    examples = [Example.of(sample) for sample in dataset.samples]
    if request.eval_dataset is not None:
        held_out = read_dataset(request.eval_dataset, strict=request.strict, columns=request.columns)
        _report_lines(held_out, context)
        skipped = dataset.skipped + held_out.skipped
        return examples, [Example.of(sample) for sample in held_out.samples], skipped
    training = request.config.training
    split = split_pictures([example.name for example in examples], training.eval_fraction, training.seed)
    if split.remark:
        context.emit("warning", message=split.remark)
    return [examples[i] for i in split.train], [examples[i] for i in split.evaluation], dataset.skipped


def _report_lines(dataset: Dataset, context: RunContext) -> None:
    if not dataset.problems:
        return
    skipped = {problem.line: str(problem) for problem in dataset.problems if problem.kind.skips}
    context.emit("warning", message=f"{dataset.path.name}: {dataset.summary()}. {_named(skipped)}".rstrip())


def _named(problems: Mapping[int, str]) -> str:
    """Sentences by line number: the first ones as they are, of the others the lines."""
    first = " ".join(list(problems.values())[:_NAMED_PROBLEMS])
    others = list(problems)[_NAMED_PROBLEMS:]
    if not others:
        return first
    numbers = ", ".join(map(str, others[:_NAMED_LINES])) + (", …" if len(others) > _NAMED_LINES else "")
    return f"{first} Others: {'line' if len(others) == 1 else 'lines'} {numbers}."


def _measure(
    examples: Sequence[Example], collator: Collator, request: TrainRequest, context: RunContext, purpose: str
) -> tuple[list[Example], list[Length], int]:
    """Examples that open and fit, with their lengths; the others are reported."""
    usable: list[Example] = []
    lengths: list[Length] = []
    problems: dict[int, str] = {}
    limit = collator.processor.max_length
    for example, length in zip(examples, _lengths(examples, collator, context), strict=True):
        if isinstance(length, InputError):
            problems[example.line] = f"Line {example.line}: {length.message}"
            continue
        if length.total > limit:
            problems[example.line] = (
                f"Line {example.line}: {example.name} takes {length.total} tokens "
                f"({length.image} picture, {length.answer} answer), {limit} are allowed."
            )
            continue
        usable.append(example)
        lengths.append(length)
    if problems and request.strict:
        raise DatasetError(
            next(iter(problems.values())), "Correct or remove the line, or train without strict."
        )
    if problems:
        left_out = count_of(len(problems), f"{purpose} sample")
        context.emit("warning", message=f"Left out: {left_out}. {_named(problems)}")
    return usable, lengths, len(problems)


def _lengths(
    examples: Sequence[Example], collator: Collator, context: RunContext
) -> Iterator[Length | InputError]:
    """The length of every example, or why it has none; pictures are read whole, several at once."""

    def measured(example: Example) -> Length | InputError:
        try:
            return collator.measure(example)
        except InputError as error:
            return error

    told = time.monotonic()
    with ThreadPoolExecutor(reader_threads()) as readers:
        for number, length in enumerate(readers.map(measured, examples), start=1):
            if time.monotonic() - told >= _TELL_EVERY:
                context.emit("progress", done=number, total=len(examples), unit="pages")
                told = time.monotonic()
            yield length


def _show(example: Example, length: Length, collator: Collator, context: RunContext) -> None:
    """Send one sample as the model sees it at first: decoded from its very ids, placeholders counted."""
    tokenizer = collator.processor.tokenizer
    sample = collator.encode(example)
    learnt = [label for label in sample.labels if label != IGNORE_INDEX]
    masked = [
        token
        for token, label in zip(sample.input_ids, sample.labels, strict=True)
        if label == IGNORE_INDEX and token != tokenizer.image_id
    ]
    context.emit(
        "sample",
        kind="training",
        line=example.line,
        image=None if example.image is None else str(example.image),
        image_tokens=length.image,
        prompt_tokens=length.prompt,
        answer_tokens=length.answer,
        augmentation=None if example.augmentation is None else asdict(example.augmentation),
        tiles=[[view.columns, view.rows] for view in sample.views],
        masked_text=tokenizer.decode(masked)[:_SHOWN_CHARACTERS],
        learnt_text=tokenizer.decode(learnt)[:_SHOWN_CHARACTERS],
        ends_with_eos=bool(learnt) and learnt[-1] == tokenizer.eos_id,
    )


def check_free_space(folder: Path, trainable: int, training: TrainingConfig, plan: StepPlan) -> None:
    """Make sure that the checkpoints fit on the disk.

    Args:
        folder: Where they go.
        trainable: Trainable parameters.
        training: The ``training`` section.
        plan: Length of the training.

    Raises:
        RunError: They do not fit.
    """
    count = max(1, plan.total // training.save_steps)
    # One more exists while the oldest is not yet deleted, and the best adapter is kept besides.
    count = min(count, training.save_total_limit or count) + 2
    needed = count * trainable * _CHECKPOINT_BYTES_PER_PARAMETER
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"{count} checkpoints of this run need {size_of(needed)}, "
            f"but only {size_of(free)} are free in {folder}.",
            "Free some space, or lower training.save_total_limit or lora.r.",
        )
