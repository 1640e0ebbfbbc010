"""Why a run ended before its work was done, in words for whoever has to go on."""

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind
from ocrstudio.jobs.events import EventType, newest_first
from ocrstudio.jobs.run_folder import RunFolder


def last_failure(folder: RunFolder) -> RunError:
    """The failure of a run as an error to raise."""
    for event in newest_first(folder.events_path):
        if event.type == EventType.FAILED:
            message, hint = event.data.get("message", "The run failed."), event.data.get("hint", "")
            return RunError(str(message), str(hint))
    return RunError(f"The run {folder.id} failed without a message.", f"See {folder.log_path}.")


def describe_interruption(folder: RunFolder) -> dict[str, str]:
    """Why a run without an ending may have ended, and what can be done: ``message`` and ``hint``."""
    checkpoint = folder.newest_checkpoint()
    where = f"from {checkpoint.name}" if checkpoint else "from the beginning (no checkpoint was saved yet)"
    if folder.spec.kind is RunKind.CURVE:
        where = "with the points that are missing"
    message = (
        f"The worker of {folder.id} ended without a word: killed, out of memory, or the machine went down."
    )
    tail = folder.log_tail(3)
    hint = f"It can go on {where}: {folder.command('resume')}"
    return {"message": message, "hint": f"{hint}\nLast lines of its log:\n{tail}" if tail else hint}
