"""Does training go on when its watchers die, and does attaching show the whole curve?

    python -m benchmarks.attach [--kills 20] [--steps 2000] [--history 100000]

One run of scripted steps (no torch) is launched. Its watcher and the watcher's whole process group are killed
with SIGKILL again and again at random moments; then one more watcher attaches. The script fails unless every
step arrived there exactly once and no event number was missing. It also measures how soon the history of a
long run is shown.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.context import RunContext
from ocrstudio.jobs.events import Event, EventStream, EventWriter
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.jobs.stop import wait_until_over

BODIES = {"train": "benchmarks.attach:steps"}


def steps(context: RunContext) -> dict[str, Any]:
    """The body that the worker runs: one metric a step, at an even pace."""
    request = context.folder.spec.request
    for step in range(1, request["steps"] + 1):
        context.emit("metric", step=step, values={"loss": 1.0 / step})
        time.sleep(request["pause"])
    return {"steps": request["steps"]}


def measure_survival(parent: Path, kills: int, count: int) -> dict[str, object]:
    """Kill watchers while a run goes on, then attach once more."""
    pause = max(0.0005, 0.5 * kills / count)
    request = {"steps": count, "pause": pause}
    folder = RunFolder.create(parent, RunSpec(RunKind.TRAIN, "survival", time.time(), request))
    chooser = random.Random(1)
    action, killed = "launch", 0
    while killed < kills:
        watcher = subprocess.Popen(
            worker_command(action, str(folder.path)), stdout=subprocess.PIPE, process_group=0
        )
        assert watcher.stdout is not None
        watcher.stdout.readline()
        time.sleep(chooser.uniform(0.0, 0.1))
        if folder.state().is_over:
            break
        os.killpg(watcher.pid, signal.SIGKILL)
        watcher.communicate()
        killed += 1
        action = "relay"
    state = wait_until_over(folder, 120.0)
    events, _ = _attach(folder)
    seen = [event.data["step"] for event in events if event.type == "metric"]
    if state is not RunState.FINISHED or seen != list(range(1, count + 1)):
        raise SystemExit(f"The curve has a hole: {len(seen)} of {count} steps, state {state}.")
    return {"watchers_killed": killed, "steps": count, "steps_seen_after_attach": len(seen), "gaps": 0}


def measure_history(parent: Path, length: int) -> dict[str, object]:
    """Attach to a finished run with a long history."""
    folder = RunFolder.create(parent, RunSpec(RunKind.TRAIN, "history", time.time()))
    with EventWriter(folder.events_path) as writer:
        started = time.perf_counter()
        for step in range(1, length + 1):
            writer.write("metric", {"step": step, "values": {"loss": 1.0 / step, "learning_rate": 1e-4}})
        write_seconds = time.perf_counter() - started
        writer.write("finished", {"attempt": 1, "stopped": False, "summary": {}})
    events, seconds = _attach(folder)
    if len(events) != length + 2:
        raise SystemExit(f"Only {len(events)} of {length + 2} events arrived.")
    started = time.perf_counter()
    folder.state()
    return {
        "events": length,
        "attach_seconds_with_process_start": round(seconds, 2),
        "state_milliseconds": round(1000 * (time.perf_counter() - started), 2),
        "microseconds_per_event_written": round(1e6 * write_seconds / length, 1),
    }


def _attach(folder: RunFolder) -> tuple[list[Event], float]:
    started = time.perf_counter()
    done = subprocess.run(worker_command("relay", str(folder.path)), stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - started
    stream = EventStream()
    events = [event for line in done.stdout.splitlines() if (event := stream.accept(line)) is not None]
    if stream.gaps or stream.damaged_lines:
        raise SystemExit(f"Events are missing: {stream.gaps}.")
    return events, seconds


def main() -> None:
    """Run both measurements and print them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--history", type=int, default=100_000)
    options = parser.parse_args()
    repository = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "OCRSTUDIO_WORKER_BODIES": "benchmarks.attach",
            "OCRSTUDIO_STATE_DIR": str(Path(folder) / "state"),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(repository), os.environ.get("PYTHONPATH")))),
        }
        result = {
            "survival": measure_survival(Path(folder), options.kills, options.steps),
            "history": measure_history(Path(folder), options.history),
        }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
