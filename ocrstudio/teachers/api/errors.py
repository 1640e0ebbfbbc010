"""Failures of a server, each as one sentence with what to do.

What no page can cure (no quota, no key, no such model, a wrong address) is a `TeacherUnavailableError`, which
stops a batch at once; what another page may not suffer from is a `TeacherError` about this page. The server's
own words are in every sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import openai  # noqa: TID253 - this module is imported with the client, never at the start
from pydantic import SecretStr

from ocrstudio.domain.errors import TeacherError
from ocrstudio.domain.wording import duration, shortened
from ocrstudio.settings.secrets import redact
from ocrstudio.teachers.api import kinds
from ocrstudio.teachers.api.said import Said, read_said
from ocrstudio.teachers.errors import TeacherUnavailableError

_MAX_QUOTE = 300
_FOR_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
# By name: the client's HTTP library is httpx or httpx2, depending on its version.
_NEVER_CONNECTED = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol"})


@dataclass(frozen=True)
class Server:
    """What messages need to know about a server.

    Attributes:
        base_url: Its address.
        model: The model asked for.
        timeout: Seconds waited for an answer.
        secrets: Texts that must not appear in a message.
        patience: Longest wait in seconds that it may ask for.
    """

    base_url: str
    model: str
    timeout: float
    secrets: Sequence[SecretStr]
    patience: float = 120.0

    @property
    def how_to_check(self) -> str:
        """What to try when the server does not answer."""
        return (
            f"Is the server running? Try: curl {self.base_url}/models — then check api.base_url in the "
            "teacher's configuration, and the firewall."
        )


def said_by(error: Exception) -> Said | None:
    """What the server said with an exception of the client; None when there was no answer at all."""
    if not isinstance(error, openai.APIStatusError):
        return None
    return read_said(error.status_code, error.body, error.response.headers, error.response.reason_phrase)


def may_repeat(error: Exception, said: Said | None) -> bool:
    """Whether the same request may succeed a little later."""
    if said is None:
        return isinstance(error, openai.APIConnectionError)
    if said.repeat is not None:
        return said.repeat
    return said.status in _FOR_NOW or said.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def translate(error: Exception, server: Server, page: str) -> TeacherError:
    """The `TeacherError` for an exception of the client.

    Args:
        error: An ``openai.OpenAIError``, or ValueError for an answer that is not JSON.
        server: The server it came from.
        page: Name of the page for messages.
    """
    said = said_by(error)
    if said is not None:
        return explain(said, server, page)
    if isinstance(error, openai.APITimeoutError):
        return TeacherError(
            f"{page}: {server.base_url} gave no answer within {server.timeout:g} s.",
            "Raise request.timeout, or lower request.concurrent_requests or generation.max_tokens.",
        )
    if isinstance(error, openai.APIConnectionError):
        return _connection(error, server, page)
    return TeacherError(
        f"{page}: the answer of {server.base_url} does not follow the OpenAI protocol.",
        "Check that api.base_url ends with the protocol's path, usually /v1.",
    )


def explain(said: Said, server: Server, page: str) -> TeacherError:
    """The `TeacherError` for an error answer: the first rule that knows it says what it is."""
    return next(say(said, server, page) for knows, say in _RULES if knows(said, server))


def is_busy(said: Said) -> bool:
    """Whether a server sent a page away for now only."""
    return said.status == HTTPStatus.TOO_MANY_REQUESTS


def lets_nobody_in(said: Said, server: Server) -> TeacherUnavailableError:
    """The sentence for a server that was too busy for several pages after one another."""
    return TeacherUnavailableError(
        f"{server.base_url} takes no requests now, although it was asked again and again (status "
        f"{said.status}): {_quote(said, server)}",
        "Start again later, perhaps with a lower request.concurrent_requests.",
    )


def refuses_all(said: Said, server: Server, pages: int) -> TeacherUnavailableError:
    """The sentence for a server that has refused the first pages of a batch with the same words."""
    return TeacherUnavailableError(
        f"{server.base_url} refused the first {pages} pages in the same way (status {said.status}): "
        f"{_quote(said, server)}",
        "Check api.model_name, generation and prompts.",
    )


def _connection(error: openai.APIConnectionError, server: Server, page: str) -> TeacherError:
    if type(error.__cause__).__name__ in _NEVER_CONNECTED:
        return TeacherUnavailableError(
            f"No connection to {server.base_url}.", server.how_to_check, retryable=True
        )
    return TeacherError(
        f"{page}: {server.base_url} broke the connection off.", "See the server's log.", retryable=True
    )


def _page_flagged(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} refused the page (status {said.status}): {_quote(said, server)}",
        "Use another teacher for it.",
    )


def _no_money(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001 - one shape for all
    return TeacherUnavailableError(
        f"{server.base_url} gives no more answers to this key (status {said.status}): {_quote(said, server)}",
        "Settle it with the provider, then start again.",
    )


def _long_wait(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f"{server.base_url} asks to wait {duration(said.wait or 0)} (status {said.status}): "
        f"{_quote(said, server)}",
        "Start again then.",
    )


def _key_refused(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f"{server.base_url} refused the API key (status {said.status}): {_quote(said, server)}",
        "Set the key in the settings, in the environment variable OPENAI_API_KEY, or under api.api_key.",
    )


def _no_model(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f'{server.base_url} does not know the model "{server.model}" (status {said.status}): '
        f"{_quote(said, server)}",
        f"See which models it serves: curl {server.base_url}/models — then set api.model_name.",
    )


def _no_eyes(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f'The model "{server.model}" at {server.base_url} takes no pictures: {_quote(said, server)}',
        "Set api.model_name to a model that reads images.",
    )


def _wrong_path(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f'{server.base_url} does not know the model "{server.model}", or has no chat endpoint '
        f"(status {said.status}): {_quote(said, server)}",
        f"See which models it serves: curl {server.base_url}/models — then set api.model_name; "
        "api.base_url usually ends with /v1.",
    )


def _website(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return wrong_address(server, f"status {said.status}: {_quote(said, server)}")


def wrong_address(server: Server, what: str) -> TeacherUnavailableError:
    """The sentence for an address behind which something else answers.

    Args:
        server: The server.
        what: What came, for people.
    """
    return TeacherUnavailableError(
        f"{server.base_url} is not the address of a model server's API ({what.rstrip('.')}).",
        f"Check api.base_url: it usually ends with /v1. Try: curl {server.base_url}/models",
    )


def _too_long(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: picture and answer do not fit into the model's context: {_quote(said, server)}",
        "Lower generation.max_tokens or api.max_image_side.",
    )


def _too_many_tokens(said: Said, server: Server, page: str) -> TeacherError:  # noqa: ARG001
    return TeacherUnavailableError(
        f"{server.base_url} refuses so many tokens for an answer: {_quote(said, server)}",
        "Lower generation.max_tokens, or leave it empty (null).",
    )


def _picture_too_large(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: the picture is too large for {server.base_url}: {_quote(said, server)}",
        "Lower api.max_image_side, or set api.image_format: jpg.",
    )


def _bad_request(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} refused the request: {_quote(said, server)}",
        "Check generation and prompts.",
    )


def _busy(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} has too many requests (status 429): {_quote(said, server)}",
        "Lower request.concurrent_requests, or raise request.max_retries.",
        retryable=True,
    )


def _any_status(said: Said, server: Server, page: str) -> TeacherError:
    return TeacherError(
        f"{page}: {server.base_url} failed with status {said.status}: {_quote(said, server)}",
        "See the server's log.",
        retryable=said.status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )


_RULES: tuple[tuple[Callable[[Said, Server], bool], Callable[[Said, Server, str], TeacherError]], ...] = (
    (lambda said, _: kinds.is_flagged(said), _page_flagged),
    (lambda said, _: kinds.is_money(said), _no_money),
    (lambda said, server: kinds.is_long_wait(said, server.patience), _long_wait),
    (lambda said, _: kinds.is_key(said), _key_refused),
    (lambda said, _: kinds.is_blind(said), _no_eyes),
    (lambda said, _: kinds.is_context_limit(said), _too_long),
    (lambda said, _: kinds.is_token_limit(said), _too_many_tokens),
    (lambda said, _: kinds.is_picture_limit(said), _picture_too_large),
    (lambda said, _: kinds.is_model(said), _no_model),
    (lambda said, _: kinds.is_website(said), _website),
    (lambda said, _: said.status == HTTPStatus.NOT_FOUND, _wrong_path),
    (lambda said, _: said.status == HTTPStatus.TOO_MANY_REQUESTS, _busy),
    (lambda said, _: said.status in kinds.REFUSED, _bad_request),
    (lambda *_: True, _any_status),
)
"""What an error answer can be, most particular first."""


def _quote(said: Said, server: Server) -> str:
    return quoted(said.sentence or "no reason given", server)


def quoted(said: object, server: Server) -> str:
    """What a server said in one line of bounded length, without secrets."""
    text = " ".join(redact(str(said), server.secrets).split())
    short = shortened(text, _MAX_QUOTE)
    return short if short.endswith((".", "…", "!")) else f"{short}."
