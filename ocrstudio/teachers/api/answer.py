"""What a server answered, read with suspicion: the client hands on whatever JSON it was sent."""

from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.errors import TeacherError
from ocrstudio.domain.text import storable
from ocrstudio.teachers.api.errors import Server, quoted
from ocrstudio.teachers.base import PageSource


@dataclass(frozen=True)
class Answer:
    """The part of a chat completion that counts.

    Attributes:
        text: The answer, or empty.
        refusal: Why the model or the server's filter declined, or None.
        finish_reason: Why the answer ended, in the server's word, or None.
        prompt_tokens: As the server counts, or None.
        completion_tokens: As the server counts, or None.
    """

    text: str
    refusal: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None


def read_answer(completion: Any, page: PageSource, server: Server) -> Answer:  # noqa: ANN401 - the client's type
    """The first choice of a completion.

    Raises:
        TeacherError: There is none, or it has no text where the protocol has it.
    """
    choices = getattr(completion, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    text = _text(getattr(message, "content", None))
    if not hasattr(message, "content") or text is None:
        raise _no_answer(completion, page, server)
    refusal = getattr(message, "refusal", None)
    if not refusal and getattr(choice, "finish_reason", None) == "content_filter":
        refusal = "its content filter stopped the answer."
    usage = getattr(completion, "usage", None)
    return Answer(
        text=storable(text),
        refusal=quoted(refusal, server) if refusal else None,
        finish_reason=_if(str, getattr(choice, "finish_reason", None)),
        prompt_tokens=_if(int, getattr(usage, "prompt_tokens", None)),
        completion_tokens=_if(int, getattr(usage, "completion_tokens", None)),
    )


def _text(content: object) -> str | None:
    """The text of a message: some servers send it in parts. None for what is no text at all."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    parts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def _no_answer(completion: object, page: PageSource, server: Server) -> TeacherError:
    error = getattr(completion, "error", None)
    if error:  # some gateways report their errors with status 200
        said = error.get("message", error) if isinstance(error, dict) else error
        return TeacherError(
            f"{page.key}: {server.base_url} sent an error instead of an answer: {quoted(said, server)}",
            "See the server's log.",
            retryable=True,
        )
    return TeacherError(
        f"{page.key}: the server's answer holds no choices with a text.",
        "Check that api.base_url is the address of an OpenAI-compatible server, usually ending with /v1.",
        retryable=True,
    )


def _if(kind: type[Any], value: object) -> Any:  # noqa: ANN401 - a value of `kind`
    return value if isinstance(value, kind) else None
