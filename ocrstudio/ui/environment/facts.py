"""What was found, as rows of words; no Qt."""

from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.embedded import REPAIR, is_embedded
from ocrstudio.domain.wording import size_of
from ocrstudio.services.dataset_statistics import COUNTED, DatasetCheck
from ocrstudio.services.environment import Environment, ModelCheck, Verdict
from ocrstudio.services.model_folder import download_command

TRAINING = "Training"
"""Heading of what an installed program still lacks."""


@dataclass(frozen=True)
class Fact:
    """A row: what was looked at, what was found, and how it is; None where there is nothing to judge."""

    name: str
    found: str
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Section:
    """Rows under a heading."""

    title: str
    facts: tuple[Fact, ...]


def describe(
    environment: Environment, model: ModelCheck, dataset: DatasetCheck | None
) -> tuple[Section, ...]:
    """All sections.

    Args:
        environment: The machine.
        model: The base model's folder.
        dataset: The last exported dataset, or None when there is none.
    """
    packages = tuple(
        Fact(
            check.name,
            (check.installed or "not installed")
            + ("" if check.verdict is Verdict.OK else f"; known to work: {check.known}"),
            check.verdict,
        )
        for check in environment.packages
    )
    training = (Section(TRAINING, (Fact("Student", environment.training, Verdict.MISSING),)),)
    return (
        Section("Machine", _machine(environment)),
        *(training if environment.training else ()),
        Section("Model", _model(model)),
        Section("Last exported dataset", _dataset(dataset)),
        Section("Packages", packages),
    )


def as_text(sections: tuple[Section, ...]) -> str:
    """All rows for the clipboard."""
    lines: list[str] = []
    for section in sections:
        lines.append(section.title)
        for fact in section.facts:
            verdict = f" ({fact.verdict.value})" if fact.verdict else ""
            lines.append(f"  {fact.name}: {fact.found}{verdict}")
    return "\n".join(lines)


def _machine(environment: Environment) -> tuple[Fact, ...]:
    gpus = [Fact("GPU", gpu.in_words(), Verdict.OK) for gpu in environment.gpus] or [
        Fact("GPU", f"none: {environment.gpu_problem or 'the driver lists none'}")
    ]
    memory = _free(environment.memory_available, environment.memory_total)
    return (
        Fact("OCR Studio", f"{environment.ocrstudio}, Python {environment.python}, {environment.platform}"),
        *gpus,
        Fact("Memory", f"{memory}, {environment.processors} cores"),
        Fact("Disk", f"{size_of(environment.disk_free)} free"),
    )


def _model(model: ModelCheck) -> tuple[Fact, ...]:
    facts = (Fact(model.name, model.detail, model.verdict),)
    if model.verdict is Verdict.OK:
        return facts
    if is_embedded(model.name):
        return (*facts, Fact("To do", REPAIR))
    return (*facts, Fact("Download by hand", download_command(model.name)))


def _dataset(check: DatasetCheck | None) -> tuple[Fact, ...]:
    if check is None:
        return (Fact("Dataset", "none was exported from this workspace yet"),)
    facts = [
        Fact(
            Path(check.path).parent.name,
            f"{check.summary}; documents: {check.documents}",
            Verdict.PROBLEM if check.problems else Verdict.OK,
        )
    ]
    if check.lengths:
        lengths = check.lengths
        facts.append(
            Fact(
                f"Answers in {lengths.unit}",
                f"{lengths.shortest} to {lengths.longest}, median {lengths.median}, 95 % up to {lengths.p95}",
            )
        )
        bars = [f"{bar.first}-{bar.last}: {bar.count}" for bar in lengths.histogram if bar.count]
        facts.append(Fact("Histogram", ", ".join(bars)))
    facts += [
        Fact(words.capitalize(), str(count), Verdict.PROBLEM if count else Verdict.OK)
        for name, words in COUNTED.items()
        if (count := check.counts.get(name)) is not None
    ]
    return tuple(facts)


def _free(free: int, total: int) -> str:
    return f"{size_of(free)} of {size_of(total)} available"
