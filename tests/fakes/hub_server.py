"""A loopback server that speaks as much of the model hub's protocol as a download needs, ranges included."""

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

REVISION = "c0ffee" + "0" * 34


class HubServer:
    """Serves one repository.

    Args:
        repository: ``owner/name``.
        files: Content by file name.
        token: Wanted of every request, or None.
        cut_after: Bytes after which the first transfer of a large file breaks off, or None.
        hold_after: Bytes after which the first transfer of a large file waits for `go_on`, or None.
    """

    def __init__(  # noqa: C901 - the handler has to see the server
        self,
        repository: str,
        files: Mapping[str, bytes],
        token: str | None = None,
        cut_after: int | None = None,
        hold_after: int | None = None,
    ) -> None:
        self.repository = repository
        self.files = dict(files)
        self.token = token
        self.cut_after = cut_after
        self.hold_after = hold_after
        self._may_go_on = threading.Event()
        self.sent: dict[str, int] = dict.fromkeys(files, 0)
        self.ranges: list[str] = []
        self.broken: dict[str, str] = {}
        """Files that are refused, each only once the other file that it names was sent."""
        self._progress = threading.Condition()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                return

            def do_HEAD(self) -> None:
                self._answer(send_body=False)

            def do_GET(self) -> None:
                self._answer(send_body=True)

            def _answer(self, *, send_body: bool) -> None:
                if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
                    return self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"}, send_body)
                if self.path.startswith(f"/api/models/{hub.repository}/tree/"):
                    return self._send(200, hub.tree(), {}, send_body)
                if self.path.startswith(f"/api/models/{hub.repository}"):
                    return self._send(200, hub.description(), {}, send_body)
                found = re.match(rf"/{hub.repository}/resolve/[^/]+/(.+?)(\?|$)", self.path)
                if not found or found[1] not in hub.files:
                    return self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, send_body)
                if found[1] in hub.broken:
                    hub.wait_until_sent(hub.broken[found[1]])
                    return self._send(403, b"", {}, send_body)
                return self._send_file(found[1], send_body)

            def _send_file(self, name: str, send_body: bool) -> None:
                content = hub.files[name]
                headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
                headers["Accept-Ranges"] = "bytes"
                wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
                if not wanted:
                    return self._send(200, content, headers, send_body, name)
                hub.ranges.append(name)
                start = int(wanted[1])
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                return self._send(206, content[start:], headers, send_body, name)

            def _send(
                self, status: int, body: bytes, headers: Mapping[str, str], send_body: bool, name: str = ""
            ) -> None:
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not send_body:
                    return
                if hub.cut_after is not None and len(body) > hub.cut_after:
                    body, hub.cut_after = body[: hub.cut_after], None
                    self.close_connection = True
                with contextlib.suppress(ConnectionError):  # the client may be gone
                    if hub.hold_after is not None and len(body) > hub.hold_after:
                        held, hub.hold_after = hub.hold_after, None
                        self.wfile.write(body[:held])
                        hub._may_go_on.wait(60)
                        self.wfile.write(body[held:])
                    else:
                        self.wfile.write(body)
                if name:
                    with hub._progress:
                        hub.sent[name] += len(body)
                        hub._progress.notify_all()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """For ``HF_ENDPOINT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def go_on(self) -> None:
        """Let a transfer that is held go on."""
        self._may_go_on.set()

    def wait_until_sent(self, name: str) -> None:
        """Return once a whole file has left."""
        with self._progress:
            self._progress.wait_for(lambda: self.sent[name] >= len(self.files[name]), timeout=30)

    def description(self) -> bytes:
        """What the hub says about the repository."""
        siblings = [{"rfilename": name, "size": len(content)} for name, content in self.files.items()]
        return json.dumps({"id": self.repository, "sha": REVISION, "siblings": siblings}).encode()

    def tree(self) -> bytes:
        """The files of the repository, as the hub lists them."""
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for name, content in self.files.items()
        ]
        return json.dumps(entries).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
