"""The child's side of `ocrstudio.jobs.line_process`: answer JSON-line requests until standard input ends."""

import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.jobs.line_protocol import LINE_PROTOCOL_VERSION, decode_line, encode_line, error_record
from ocrstudio.jobs.stdio import ClaimedOutput, claim_stdout
from ocrstudio.jobs.watchdog import ends_itself_after

Handler = Callable[..., Any]
Notify = Callable[[dict[str, Any]], None]
Setup = Callable[[Notify], tuple[Mapping[str, Handler], dict[str, Any]]]


def serve_lines(setup: Setup) -> int:
    """Claim standard output, set up, then answer requests one after the other.

    Args:
        setup: Loads what the handlers need (a model, an engine). It is called after standard output was
            claimed, is given a function that sends a notice to the parent, and returns the handlers by method
            name (each called with the request's ``params`` as keywords, returns a JSON value) and what the
            ``ready`` line tells.

    Returns:
        Exit status: 0 when the parent closed the pipe, 1 when the setup failed.
    """
    output = claim_stdout()

    def notify(data: dict[str, Any]) -> None:
        output.write(encode_line({"notice": data}))

    try:
        return _serve(output, setup, notify)
    except BrokenPipeError:
        return 0  # the parent is gone; nobody is left to tell


def _serve(output: ClaimedOutput, setup: Setup, notify: Notify) -> int:
    try:
        handlers, info = setup(notify)
    except Exception as error:  # noqa: BLE001 - a process entry: the parent must learn why
        output.write(encode_line({"error": _failure(error)}))
        return 1
    output.write(encode_line({"ready": info, "v": LINE_PROTOCOL_VERSION}))
    for line in sys.stdin.buffer:
        request = decode_line(line)
        with ends_itself_after(request.get("limit")):
            answer = _answer(handlers, request)
        output.write(encode_line(answer))
    return 0


def _answer(handlers: Mapping[str, Handler], request: dict[str, Any]) -> dict[str, Any]:
    number = request.get("id")
    handler = handlers.get(str(request.get("method")))
    if handler is None:
        unknown = OcrStudioError(f"The child process has no method {request.get('method')!r}.")
        return {"id": number, "error": error_record(unknown)}
    try:
        return {"id": number, "result": handler(**request.get("params", {}))}
    except Exception as error:  # noqa: BLE001 - one failed request must not end the others
        return {"id": number, "error": _failure(error)}


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, OcrStudioError):
        return error_record(error)
    traceback.print_exception(error)
    return {
        "message": f"Unexpected {type(error).__name__}: {error}",
        "hint": "The log of the child process has the details.",
        "retryable": False,
    }
