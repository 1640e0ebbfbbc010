"""What a server answered, read with suspicion: the client hands on whatever JSON it was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocrstudio.domain.errors import TeacherError
from ocrstudio.domain.text import storable
from ocrstudio.teachers.api.errors import Server, explain, quoted, wrong_address
from ocrstudio.teachers.api.said import is_html, read_said
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.errors import TeacherUnavailableError

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
_LEAST_STATUS = 400


@dataclass(frozen=True)
class Answer:
    """The part of a chat completion that counts.

    Attributes:
        text: The answer, or empty.
        thoughts: What the server sent beside it as the model's thoughts, or empty.
        refusal: Why the model or the server's filter declined, or None.
        finish_reason: Why the answer ended, in the server's word, or None.
        prompt_tokens: As the server counts, or None.
        completion_tokens: As the server counts, or None.
    """

    text: str
    thoughts: str
    refusal: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def raw(self) -> str:
        """All that the model wrote; thoughts from a field of their own in the usual marks."""
        return f"<think>\n{self.thoughts}\n</think>\n\n{self.text}" if self.thoughts else self.text


def read_answer(completion: Any, page: PageSource, server: Server) -> Answer:  # noqa: ANN401 - the client's type
    """The first choice of a completion.

    Raises:
        TeacherUnavailableError: A website answers, or an error that no page can cure.
        TeacherError: There is none, or it has no text where the protocol has it.
    """
    if is_html(completion):
        raise wrong_address(server, "a page for browsers came back")
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
        thoughts=storable(_thoughts(message)),
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
    said = [part for part in content if not (isinstance(part, dict) and part.get("type") in _THOUGHT_PARTS)]
    return _joined(said)


def _thoughts(message: object) -> str:
    """What a message holds as thoughts, in a field or as parts of its content."""
    fields = (getattr(message, name, None) for name in _THOUGHT_FIELDS)
    found = next((field for field in fields if isinstance(field, str) and field.strip()), "")
    content = getattr(message, "content", None)
    if found or not isinstance(content, list):
        return found.strip()
    parts = [part for part in content if isinstance(part, dict) and part.get("type") in _THOUGHT_PARTS]
    return _joined([part.get("thinking", part) for part in parts]).strip()


def _joined(parts: Sequence[object]) -> str:
    """The texts of parts, which may be texts, objects with a text, or lists of such."""
    texts: list[str] = []
    for part in parts:
        inner = part.get("text") if isinstance(part, dict) else part
        if isinstance(inner, list):
            texts.append(_joined(inner))
        elif isinstance(inner, str):
            texts.append(inner)
    return "".join(texts)


def _no_answer(completion: object, page: PageSource, server: Server) -> TeacherError:
    error = getattr(completion, "error", None)
    if error:  # some gateways report their errors with status 200
        said = error.get("message", error) if isinstance(error, dict) else error
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and code >= _LEAST_STATUS else _LEAST_STATUS
        problem = explain(read_said(status, error), server, page.key)
        if isinstance(problem, TeacherUnavailableError):
            return problem
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
