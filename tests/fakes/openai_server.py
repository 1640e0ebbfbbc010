"""A loopback HTTP server that speaks the OpenAI chat protocol, with faults that can be switched on.

It is a real server on a real socket, so the client's own retries, time-outs and parsing are part of a test.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

DEFAULT_ANSWER = "# Title\n\nA page."


@dataclass(frozen=True)
class LoggedRequest:
    """A chat request as it arrived: time (monotonic seconds), headers in lower case, decoded body."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: A method of `_Faults`.
        value: Status, seconds or text, as the kind needs.
        headers: Headers added to an error answer.
    """

    kind: str
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class OpenAiServer:
    """Context manager; `base_url` goes into a teacher's configuration.

    Args:
        answer: Text of every answer, or a function of the request's body.
        latency: Seconds before an answer.
        key: The only key accepted, or None for any.
        check: Looks at the body of every request; the fault it returns is answered instead.
    """

    def __init__(
        self,
        answer: str | Callable[[dict[str, Any]], str] = DEFAULT_ANSWER,
        *,
        latency: float = 0.0,
        key: str | None = None,
        check: Callable[[dict[str, Any]], Fault | None] | None = None,
    ) -> None:
        self.answer = answer
        self.latency = latency
        self.key = key
        self.check = check
        self.requests: list[LoggedRequest] = []
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.released = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        """Address up to and including ``/v1``."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def fail_next(self, kind: str, value: Any = None, *, times: int = 1, **headers: str) -> None:
        """Let the next requests go wrong; underscores in header names become hyphens."""
        fault = Fault(kind, value, {name.replace("_", "-"): text for name, text in headers.items()})
        self.faults.extend([fault] * times)

    def fail_always(self, kind: str, value: Any = None, **headers: str) -> None:
        """Let every request go wrong."""
        self.always = Fault(kind, value, {name.replace("_", "-"): text for name, text in headers.items()})

    def next_fault(self) -> Fault | None:
        """The fault for the request at hand."""
        with self._lock:
            return self.faults.popleft() if self.faults else self.always

    def enter(self, request: LoggedRequest) -> None:
        """Log a request that begins."""
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def leave(self) -> None:
        """A request is over."""
        with self._lock:
            self._at_once -= 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    owner: OpenAiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one segment an answer: unbuffered headers and body wait for each other's acknowledgement
    server: _Http

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": "deepseek-ocr", "object": "model"}]})

    def do_POST(self) -> None:
        owner = self.server.owner
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.enter(LoggedRequest(time.monotonic(), headers, body))
        try:
            self._answer(owner, body, headers)
        finally:
            owner.leave()

    def _answer(self, owner: OpenAiServer, body: dict[str, Any], headers: dict[str, str]) -> None:
        if owner.key is not None and headers.get("authorization") != f"Bearer {owner.key}":
            given = headers.get("authorization", "").removeprefix("Bearer ")
            self._send(401, {"error": {"message": f"Incorrect API key provided: {given}."}})
            return
        fault = (owner.check and owner.check(body)) or owner.next_fault()
        if fault is not None:
            getattr(self, f"_fault_{fault.kind}")(fault)
            return
        owner.released.wait(owner.latency)
        text = owner.answer if isinstance(owner.answer, str) else owner.answer(body)
        self._send(200, completion(text))

    def _fault_status(self, fault: Fault) -> None:
        message = f"The server says {fault.value}."
        self._send(int(fault.value), {"error": {"message": message}}, fault.headers)

    def _fault_error(self, fault: Fault) -> None:
        """A status with a body of its own: JSON, or the text of a page."""
        status, body = fault.value
        if isinstance(body, str):
            self._send_bytes(status, body.encode(), "text/html", fault.headers)
        else:
            self._send(status, body, fault.headers)

    def _fault_refuse_request(self, fault: Fault) -> None:
        self._send(400, {"error": {"message": str(fault.value), "code": 400}})

    def _fault_slow(self, fault: Fault) -> None:
        self.server.owner.released.wait(float(fault.value))
        self._send(200, completion(DEFAULT_ANSWER))

    def _fault_hang(self, fault: Fault) -> None:
        self.server.owner.released.wait()
        self.close_connection = True

    def _fault_bad_json(self, fault: Fault) -> None:
        self._send_bytes(200, b'{"choices": [{"mess', "application/json")

    def _fault_html(self, fault: Fault) -> None:
        self._send_bytes(200, b"<html><body>Welcome</body></html>", "text/html")

    def _fault_json(self, fault: Fault) -> None:
        self._send(200, fault.value)

    def _fault_choice(self, fault: Fault) -> None:
        self._send(200, {**completion(""), "choices": [fault.value]})

    def _fault_empty_choices(self, fault: Fault) -> None:
        self._send(200, {**completion(""), "choices": []})

    def _fault_empty_answer(self, fault: Fault) -> None:
        self._send(200, completion("  \n"))

    def _fault_length(self, fault: Fault) -> None:
        self._send(200, completion("# Title\n\nCut of", finish_reason="length"))

    def _fault_refusal(self, fault: Fault) -> None:
        record = completion("")
        record["choices"][0]["message"]["refusal"] = str(fault.value)
        self._send(200, record)

    def _fault_disconnect(self, fault: Fault) -> None:
        self.close_connection = True

    def _send(self, status: int, record: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(record).encode(), "application/json", headers)

    def _send_bytes(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tests read `OpenAiServer.requests` instead."""


def completion(text: str, *, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion as a server sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "deepseek-ocr",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940},
    }
