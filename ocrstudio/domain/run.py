"""Runs: one training, evaluation or learning curve each."""

from enum import StrEnum


class RunKind(StrEnum):
    """What a run does."""

    TRAIN = "train"
    EVALUATE = "evaluate"
    CURVE = "curve"
    """Trainings on parts of the data and their evaluations, one after another, each a run of its own."""


class RunState(StrEnum):
    """Life of a run. `INTERRUPTED` means: no terminal event and no live process."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in this run."""
        return self in _OVER


_OVER = frozenset({RunState.FINISHED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED})


class TrainMode(StrEnum):
    """Which part of the student a training run adapts; full trains every weight instead of adapting."""

    VISION = "vision"
    LLM = "llm"
    BOTH = "both"
    FULL = "full"
