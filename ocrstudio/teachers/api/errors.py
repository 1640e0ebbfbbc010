"""Failures of a server, each as one sentence with what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import openai  # noqa: TID253 - this module is imported with the client, never at the start
from pydantic import SecretStr

from ocrstudio.domain.errors import TeacherError
from ocrstudio.domain.wording import shortened
from ocrstudio.settings.secrets import redact
from ocrstudio.teachers.errors import TeacherUnavailableError

_MAX_QUOTE = 300
_FIRST_SERVER_ERROR = 500
# By name: the client's HTTP library is httpx or httpx2, depending on its version.
_NEVER_CONNECTED = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol"})
_CONTEXT_WORDS = ("context length", "context_length", "maximum context", "max_model_len", "too many tokens")
_PARAMETER_WORDS = (
    "skip_special_tokens",
    "vllm_xargs",
    "unrecognized request argument",
    "unsupported parameter",
)


@dataclass(frozen=True)
class Server:
    """What messages need to know about a server.

    Attributes:
        base_url: Its address.
        model: The model asked for.
        timeout: Seconds waited for an answer.
        secrets: Texts that must not appear in a message.
    """

    base_url: str
    model: str
    timeout: float
    secrets: Sequence[SecretStr]

    @property
    def how_to_check(self) -> str:
        """What to try when the server does not answer."""
        return (
            f"Is the server running? Try: curl {self.base_url}/models — then check api.base_url in the "
            "teacher's configuration, and the firewall."
        )


def translate(error: Exception, server: Server, page: str) -> TeacherError:
    """The `TeacherError` for an exception of the client.

    Args:
        error: An ``openai.OpenAIError``, or ValueError for an answer that is not JSON.
        server: The server it came from.
        page: Name of the page for messages.
    """
    if isinstance(error, openai.APITimeoutError):
        return TeacherError(
            f"{page}: {server.base_url} gave no answer within {server.timeout:g} s.",
            "Raise request.timeout, or lower request.concurrent_requests or generation.max_tokens.",
        )
    if isinstance(error, openai.APIConnectionError):
        return _connection(error, server, page)
    if isinstance(error, openai.APIStatusError):
        say = _BY_STATUS.get(error.status_code, _any_status)
        return say(error, server, page)
    return TeacherError(
        f"{page}: the answer of {server.base_url} does not follow the OpenAI protocol.",
        "Check that api.base_url ends with the protocol's path, usually /v1.",
    )


def _connection(error: openai.APIConnectionError, server: Server, page: str) -> TeacherError:
    if type(error.__cause__).__name__ in _NEVER_CONNECTED:
        return TeacherUnavailableError(
            f"No connection to {server.base_url}.", server.how_to_check, retryable=True
        )
    return TeacherError(
        f"{page}: {server.base_url} broke the connection off.", "See the server's log.", retryable=True
    )


def _key_refused(error: openai.APIStatusError, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f"{server.base_url} refused the API key (status {error.status_code}).",
        "Set the key in the settings, in the environment variable OPENAI_API_KEY, or under api.api_key.",
    )


def _not_found(error: openai.APIStatusError, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f'{server.base_url} does not know the model "{server.model}", or has no chat endpoint (status 404).',
        f"See which models it serves: curl {server.base_url}/models — then set api.model_name; "
        "api.base_url usually ends with /v1.",
    )


def _bad_request(error: openai.APIStatusError, server: Server, page: str) -> TeacherError:
    said = _quote(error, server)
    lowered = said.lower()
    if any(word in lowered for word in _CONTEXT_WORDS):
        return TeacherError(
            f"{page}: picture and answer do not fit into the model's context: {said}",
            "Lower generation.max_tokens or api.max_image_side.",
        )
    if any(word in lowered for word in _PARAMETER_WORDS):
        return TeacherUnavailableError(
            f"{server.base_url} refused a parameter of the request: {said}",
            "Set api.server: openai for a server other than vLLM, and check generation.extra_body.",
        )
    return TeacherError(
        f"{page}: {server.base_url} refused the request: {said}", "Check generation and prompts."
    )


def _busy(error: openai.APIStatusError, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} has too many requests (status 429): {_quote(error, server)}",
        "Lower request.concurrent_requests, or check the quota of the key.",
        retryable=True,
    )


def _any_status(error: openai.APIStatusError, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} failed with status {error.status_code}: {_quote(error, server)}",
        "See the server's log.",
        retryable=error.status_code >= _FIRST_SERVER_ERROR,
    )


_BY_STATUS: dict[int, Callable[[Any, Server, str], TeacherError]] = {
    400: _bad_request,
    401: _key_refused,
    403: _key_refused,
    404: _not_found,
    413: _bad_request,
    422: _bad_request,
    429: _busy,
}


def _quote(error: openai.APIStatusError, server: Server) -> str:
    """The server's own words for a status."""
    body = error.body
    said = body.get("message") if isinstance(body, dict) else body
    return quoted(said or error.response.reason_phrase or "no reason given", server)


def quoted(said: object, server: Server) -> str:
    """What a server said in one line of bounded length, without secrets."""
    text = " ".join(redact(str(said), server.secrets).split())
    short = shortened(text, _MAX_QUOTE)
    return short if short.endswith((".", "…", "!")) else f"{short}."
