"""One attempt at a run, from the first event to the last."""

import contextlib
import errno
import json
import os
import platform
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocrstudio.domain.embedded import READER_MODEL
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.run import RunKind
from ocrstudio.domain.secret_names import is_secret_name
from ocrstudio.jobs.device_lock import device_lock, device_names
from ocrstudio.jobs.events import EventType, EventWriter
from ocrstudio.jobs.process_identity import ProcessIdentity
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.user_state import state_dir
from ocrstudio.services.model_download import download_model, needs_download
from ocrstudio.services.model_folder import REPOSITORY
from ocrstudio.settings.files import write_text
from ocrstudio.worker.adapter_copy import copy_where_asked
from ocrstudio.worker.bodies import load_body
from ocrstudio.worker.context import WorkerContext
from ocrstudio.worker.library_versions import remark, untried_libraries
from ocrstudio.worker.peers import follow, is_peer, peers

_SHORTEST_SECRET = 8
_MEGABYTE = 1_000_000
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(folder: RunFolder) -> int:
    """Work on a run until it is finished, stopped or failed.

    In a process that torchrun, accelerate or `peers` made a peer of another, only the work is done: the run
    folder belongs to the main process.

    Returns:
        0 when it finished or was stopped, 1 when it failed. The run folder has the details.

    Raises:
        RunError: Another process works on it.
    """
    if is_peer():
        return follow(folder, load_body(folder.spec.kind.value), describe_failure)
    with folder.claim():
        ProcessIdentity.of().save(folder.identity_path)
        attempt = folder.orders().attempt
        with EventWriter(folder.events_path) as writer:
            context = WorkerContext(folder, writer)
            _stop_on_signals(context)
            kind = folder.spec.kind.value
            context.emit(
                EventType.STARTED,
                attempt=attempt,
                kind=kind,
                pid=os.getpid(),
                python=platform.python_version(),
            )
            try:
                summary = _work(context)
            except Exception as error:  # noqa: BLE001 - the worker's door: every failure becomes an event
                context.emit(EventType.FAILED, attempt=attempt, **describe_failure(error))
                return 1
            # A body that says so itself knows better: its work was done, and what was left out is not of it.
            stopped = bool(summary.get("stopped", context.was_stopped))
            context.emit(EventType.FINISHED, attempt=attempt, stopped=stopped, summary=summary)
    return 0


def _work(context: WorkerContext) -> dict[str, Any]:
    """Wait for the device, load the body, run it, write the summary."""
    count = _processes(context.folder)
    with contextlib.ExitStack() as locks:
        for device in device_names(count):
            if not locks.enter_context(_locked(device, context)):
                return {}
        if context.folder.spec.kind is not RunKind.CURVE:
            context.emit(EventType.PHASE, name="loading", message="Loading the libraries of the student")
            untried = remark(untried_libraries())
            if untried:
                context.emit(EventType.WARNING, message=untried)
        body = load_body(context.folder.spec.kind.value)
        if not _bring_model(context):
            return {}
        with peers(context.folder, count, lambda fields: _end_at_once(context, fields)):
            summary: dict[str, Any] = body(context)
        exported = copy_where_asked(context.folder)
        if exported is not None:
            summary = {**summary, "exported_to": str(exported)}
        write_text(context.folder.summary_path, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
        return summary


def _locked(device: str, context: WorkerContext) -> contextlib.AbstractContextManager[bool]:
    def tell() -> None:
        context.emit(EventType.QUEUED, message=f"Another run uses {device}; this one begins when it is free.")

    return device_lock(state_dir() / "locks", device, on_wait=tell, give_up=context.should_stop)


def _processes(folder: RunFolder) -> int:
    """How many processes with a GPU the run wants; only trainings know more than one.

    A learning curve wants none: the runs that it starts take the device, one after another.
    """
    if folder.spec.kind is RunKind.CURVE:
        return 0
    training = folder.spec.config.get("training", {}) if folder.spec.kind is RunKind.TRAIN else {}
    return int(training.get("num_processes", 1))


def _end_at_once(context: WorkerContext, fields: Mapping[str, str]) -> None:
    """End this process, which waits for a peer that is gone."""
    context.emit(EventType.FAILED, attempt=context.folder.orders().attempt, **fields)
    os._exit(1)


def _bring_model(context: WorkerContext) -> bool:
    """Download the base model where it is missing; whether it is there now (not when the run was stopped)."""
    model = str(context.folder.spec.request.get("model", READER_MODEL))
    if not needs_download(model):
        return True
    context.emit(EventType.PHASE, name="download", message=f"Downloading {REPOSITORY} into {model}")

    def tell(done: int, total: int) -> None:
        context.emit(EventType.PROGRESS, done=done // _MEGABYTE, total=total // _MEGABYTE, unit="MB")

    return download_model(Path(model), tell, context.should_stop)


def _stop_on_signals(context: WorkerContext) -> None:
    """Terminate means stop; the terminal's hang-up and Ctrl+C are for those who watch, not for the worker."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: context.request_stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None:
        signal.signal(hang_up, signal.SIG_IGN)


def describe_failure(error: Exception) -> dict[str, str]:
    """The fields of a ``failed`` event; values of secret environment variables are taken out."""
    details = _without_secrets("".join(traceback.format_exception(error)))
    sys.stderr.write(details)
    if isinstance(error, OcrStudioError):
        fields = {"message": error.message, "hint": error.hint}
    elif isinstance(error, MemoryError):
        fields = {
            "message": "The machine ran out of memory.",
            "hint": "Lower training.per_device_train_batch_size or image.max_tiles, or close other programs.",
        }
    elif isinstance(error, OSError) and error.errno in _DISK_FULL:
        fields = {
            "message": f"The disk is full ({error.filename or 'the run folder'}).",
            "hint": "Free some space, then resume the run from its last checkpoint.",
        }
    else:
        fields = {
            "message": f"The run failed with an unexpected {type(error).__name__}: {error}",
            "hint": "worker.log in the run folder has the details; please report it with that file.",
        }
    return {name: _without_secrets(text) for name, text in (fields | {"traceback": details}).items()}


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        if is_secret_name(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"<{name}>")
    return text
