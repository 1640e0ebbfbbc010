"""Further processes of a training on several GPUs: started, watched and ended by the worker of the run.

The worker is rank 0: it alone holds the run folder, writes events and files, and hears the user. A peer does
the same work on another device and says nothing, except, when it fails, why: one line of JSON on its standard
output. Peers belong to the worker's process group, so that killing the group ends them, and watch their
standard input, so that they end with a worker that was killed alone.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ocrstudio.domain.errors import OcrStudioError, RunError
from ocrstudio.jobs.child_environment import child_environment
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stdio import claim_stdout

PEER_VARIABLE = "OCRSTUDIO_PEER"
"""Set in the environment of the peers that this module starts."""

_RANK, _WORLD = "RANK", "WORLD_SIZE"
_PATIENCE = 5.0  # seconds in which a worker whose peer is gone should notice by itself
_END = 10.0
_POLL = 0.05


def is_peer() -> bool:
    """Whether this process follows another one (ours, or the main process of torchrun or accelerate)."""
    return int(os.environ.get(_RANK, "0")) > 0


@contextmanager
def peers(folder: RunFolder, count: int, on_loss: Callable[[Mapping[str, str]], None]) -> Iterator[None]:
    """Have peers work on a run for as long as the body of the context runs.

    Args:
        folder: The run.
        count: Processes in all. With 1, or under torchrun or accelerate, nothing is started.
        on_loss: Called in another thread, with the fields of a ``failed`` event, when a peer is gone and this
            process does not notice: it waits for an answer that never comes, and has to be ended.

    Raises:
        RunError: The body failed because a peer had failed; what the peer said.
    """
    if count <= 1 or _WORLD in os.environ:
        yield
        return
    group = _Group(folder, count)
    watcher = threading.Thread(target=group.watch, args=(on_loss,), daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        # Our own errors say what is wrong; a broken connection may only follow from what a peer will say.
        said = group.failure(0 if isinstance(error, OcrStudioError) else _PATIENCE)
        if said is None:
            raise
        raise RunError(said["message"], said.get("hint", "")) from error
    finally:
        group.end()


class _Group:
    def __init__(self, folder: RunFolder, count: int) -> None:
        self._folder = folder
        self._over = threading.Event()
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), _WORLD: str(count)}
        threads = max(1, (os.cpu_count() or 1) // count)
        shared |= {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
        if sys.platform == "linux":
            shared["GLOO_SOCKET_IFNAME"] = "lo"  # all of them are on this machine, whatever its name says
        os.environ.update(shared, RANK="0", LOCAL_RANK="0")
        self._processes = [self._start(number, shared) for number in range(1, count)]

    def _start(self, number: int, shared: Mapping[str, str]) -> subprocess.Popen[bytes]:
        own = {_RANK: str(number), "LOCAL_RANK": str(number), PEER_VARIABLE: "1"}
        with self._folder.log_path.open("ab") as log:
            return subprocess.Popen(
                worker_command("run", str(self._folder.path)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**child_environment(), **shared, **own},
            )

    def watch(self, on_loss: Callable[[Mapping[str, str]], None]) -> None:
        """Wait until a peer fails or all is over."""
        while not self._over.wait(_POLL):
            if self._lost() is not None and not self._over.wait(_PATIENCE):
                on_loss(self.failure(0) or {})
                return

    def _lost(self) -> subprocess.Popen[bytes] | None:
        return next((one for one in self._processes if one.poll() not in (None, 0)), None)

    def failure(self, patience: float) -> dict[str, str] | None:
        """What a failed peer said, or None when none has failed within some seconds."""
        deadline = time.monotonic() + patience
        while (lost := self._lost()) is None:
            if time.monotonic() >= deadline or all(one.poll() is not None for one in self._processes):
                return None
            time.sleep(_POLL)
        self._over.set()
        number = self._processes.index(lost) + 2
        said = lost.stdout.read() if lost.stdout is not None else b""
        try:
            fields: dict[str, str] = json.loads(said)
        except ValueError:
            fields = {
                "message": f"Process {number} of {len(self._processes) + 1} of this run ended unexpectedly "
                f"(status {lost.returncode}).",
                "hint": "worker.log in the run folder has the details.",
            }
        return fields

    def end(self) -> None:
        """End the peers that still run; those that are done are collected."""
        self._over.set()
        deadline = time.monotonic() + _END
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()  # a peer ends at the end of its input
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PeerContext:
    """What the body of a run is given in a peer: it hears nobody and tells nobody."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def emit(self, type: str, **data: Any) -> None:  # noqa: A002, ANN401 - as in `RunContext`
        """The main process says it."""

    def should_stop(self) -> bool:
        """The main process asks."""
        return False


def follow(
    folder: RunFolder,
    body: Callable[[PeerContext], object],
    describe: Callable[[Exception], Mapping[str, str]],
) -> int:
    """Work on a run as a peer.

    Args:
        folder: The run.
        body: Of the run's kind.
        describe: Makes the fields of a ``failed`` event from an exception.

    Returns:
        0, or 1 when it failed.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    ours = PEER_VARIABLE in os.environ
    output = claim_stdout() if ours else None
    if ours:
        threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        body(PeerContext(folder))
    except Exception as error:  # noqa: BLE001 - the peer's door: every failure is told to the main process
        fields = {name: text for name, text in describe(error).items() if name != "traceback"}
        if output is not None:
            output.write(json.dumps(fields).encode())
        return 1
    return 0


def _end_with_input() -> None:
    """End this process when the worker is gone, or done; a peer that is done ended before."""
    sys.stdin.buffer.read()
    os._exit(1)
