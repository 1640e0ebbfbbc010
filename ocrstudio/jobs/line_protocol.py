"""Requests and responses between a parent and a child process, one JSON object a line.

parent → child  ``{"id": 3, "method": "predict", "params": {…}}``, with ``"limit": 60`` when the child is to
                end itself should the request take far longer than so many seconds
child → parent  ``{"ready": {…}, "v": 1}`` once, when it can take requests; ``{"id": 3, "result": …}`` or
                ``{"id": 3, "error": {"message": …, "hint": …, "retryable": false}}``; at any time
                ``{"notice": {…}}`` (progress while a model loads, for instance). An ``error`` without ``id``
                before ``ready`` says why the child cannot start.
"""

import json
from typing import Any

from ocrstudio.domain.errors import OcrStudioError, ProtocolError

LINE_PROTOCOL_VERSION = 1


def encode_line(record: dict[str, Any]) -> bytes:
    """One line with its line end."""
    return json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """Read one line.

    Raises:
        ProtocolError: The line is not a JSON object.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ProtocolError(f"Not a line of the protocol: {line[:200]!r}.") from error
    if not isinstance(record, dict):
        raise ProtocolError(f"Not a line of the protocol: {line[:200]!r}.")
    return record


def error_record(error: OcrStudioError) -> dict[str, Any]:
    """An expected failure as it crosses the pipe."""
    return {
        "message": error.message,
        "hint": error.hint,
        "retryable": bool(getattr(error, "retryable", False)),
    }
