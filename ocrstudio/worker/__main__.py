"""``python -m ocrstudio.worker``: the entry of the worker process and of the relays that watch it."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.jobs.launch import start_worker
from ocrstudio.jobs.relay import EXIT_STATUS, relay_lines
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stdio import ClaimedOutput, claim_stdout
from ocrstudio.worker.adapters import serve_adapters
from ocrstudio.worker.run import run
from ocrstudio.worker.serve import serve

EXIT_READER_GONE = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the first argument says; returns the exit status."""
    options = _parser().parse_args(argv)
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "launch": _launch,
        "run": _run,
        "relay": _relay,
        "serve": _serve,
        "adapters": lambda _: serve_adapters(),
    }
    try:
        return actions[options.action](options)
    except OcrStudioError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"Hint: {error.hint}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ocrstudio.worker", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    for name, text in {
        "launch": "start the worker of a run in a session of its own, then relay its events",
        "run": "work on a run in this process",
        "relay": "write the events of a run to standard output until it is over",
    }.items():
        action = actions.add_parser(name, help=text)
        action.add_argument("run", type=Path, help="the run folder")
        if name != "run":
            action.add_argument("--after", type=int, default=0, help="number of the last event already known")
    actions.add_parser("adapters", help="export and merge adapters as asked on standard input")
    server = actions.add_parser("serve", help="answer prediction requests on standard input")
    server.add_argument("--model", required=True, help="model folder, or reader")
    server.add_argument("--adapter", help="adapter folder")
    server.add_argument("--load-in-4bit", action="store_true", help="load the base weights in 4 bits")
    return parser


def _launch(options: argparse.Namespace) -> int:
    output = claim_stdout()
    folder = RunFolder(options.run)
    launched = start_worker(folder)
    status = _relay_to(output, folder, options.after)
    if status != EXIT_READER_GONE:
        launched.process.wait()  # its last event is written; collect it, so that no zombie stays
    return status


def _run(options: argparse.Namespace) -> int:
    return run(RunFolder(options.run))


def _relay(options: argparse.Namespace) -> int:
    return _relay_to(claim_stdout(), RunFolder(options.run), options.after)


def _relay_to(output: ClaimedOutput, folder: RunFolder, after: int) -> int:
    try:
        state = relay_lines(folder, after, lambda line: output.write(line.encode("utf-8") + b"\n"))
    except BrokenPipeError:
        return EXIT_READER_GONE
    return EXIT_STATUS[state]


def _serve(options: argparse.Namespace) -> int:
    return serve({"model": options.model, "adapter": options.adapter, "load_in_4bit": options.load_in_4bit})


if __name__ == "__main__":
    # Not sys.exit: a native library's thread that hangs at exit must not keep a finished worker alive.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
