"""How the state of a run looks: a word, an icon and a colour, always together."""

from ocrstudio.domain.run import RunState
from ocrstudio.ui.pages.status import StatusLook

RUN_LOOKS: dict[RunState, StatusLook] = {
    RunState.QUEUED: StatusLook("Queued", "waiting", "grey"),
    RunState.STARTING: StatusLook("Starting", "running", "blue"),
    RunState.RUNNING: StatusLook("Running", "running", "blue"),
    RunState.STOPPING: StatusLook("Stopping", "stop", "orange"),
    RunState.FINISHED: StatusLook("Finished", "accepted", "green"),
    RunState.STOPPED: StatusLook("Stopped", "stop", "orange"),
    RunState.FAILED: StatusLook("Failed", "failed", "red"),
    RunState.INTERRUPTED: StatusLook("Interrupted", "warning", "orange"),
}
