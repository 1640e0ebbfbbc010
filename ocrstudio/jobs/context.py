"""What a worker body (training, evaluation) is given; the student uses nothing else of the worker."""

from typing import Any, Protocol

from ocrstudio.jobs.run_folder import RunFolder


class RunContext(Protocol):
    """The run as its body sees it.

    ``folder.spec.request`` and ``folder.spec.config`` say what to do; ``folder.spec.request["resume_from"]``
    already names the newest complete checkpoint when the run was resumed.
    """

    folder: RunFolder

    def emit(self, type: str, **data: Any) -> None:  # noqa: A002, ANN401 - the protocol's word; any JSON value
        """Write one event.

        The types and their fields: ``phase(name, message)``, ``progress(done, total, unit)``,
        ``metric(step, values)``, ``sample(...)``, ``checkpoint(step, path)`` after the checkpoint is
        complete, ``warning(message)``. Started, finished and failed are the worker's own.
        """
        ...

    def should_stop(self) -> bool:
        """Whether the user asked to stop: save a checkpoint and return the summary so far. Cheap."""
        ...
