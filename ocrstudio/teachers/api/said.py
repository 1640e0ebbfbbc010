"""What an error answer says, whichever server wrote it.

There is no common form: an object under ``error`` (OpenAI, vLLM, Ollama), a list of such (Gemini), ``detail``
with the place of each field (FastAPI, Mistral), JSON inside a text (OpenRouter), plain text, or the HTML page
of a proxy. All of them are read into the same few facts.
"""

import email.utils
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 8
_MAX_LEAF = 2000
_SENTENCE_KEYS = frozenset({"message", "msg", "detail", "error", "error_description", "title", ""})
_CODE_KEYS = frozenset({"code", "type", "status", "reason", "quotaid"})
_NAME_KEYS = frozenset({"param", "loc"})
_ECHOES = frozenset({"input", "url", "ctx"})  # FastAPI repeats the field, and with it the picture
_HTML = re.compile(r"\s*(<!doctype html|<html|<head|<\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_WAIT = re.compile(
    r"(?:try again|retry|wait)\b[^.\d]{0,25}((?:\d+(?:\.\d+)?\s*(?:ms|[hms])[a-z]*\s*)+)", re.IGNORECASE
)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[hms])", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Said:
    """An error answer.

    Attributes:
        status: Its HTTP status.
        sentence: The server's own words for people; may be empty.
        words: Everything it says, codes and nested messages included, in lower case; to recognise it by.
        codes: Its codes, types and reasons, in lower case.
        names: Fields of the request that it points at, as it writes them.
        wait: Seconds it asks to wait, or None.
        repeat: Whether it says itself that the request may (or may not) be sent again; None: nothing.
        is_page: Whether it is an HTML page, which no model server writes.
    """

    status: int
    sentence: str
    words: str
    codes: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    wait: float | None = None
    repeat: bool | None = None
    is_page: bool = False


def read_said(status: int, body: object, headers: Mapping[str, str] | None = None, reason: str = "") -> Said:
    """Read an error answer.

    Args:
        status: Its HTTP status.
        body: Its decoded body: what JSON holds, or text.
        headers: Its headers.
        reason: The words of the status line, for an answer that says nothing itself.
    """
    headers = headers or {}
    if isinstance(body, str) and _HTML.match(body):
        title = _TITLE.search(body)
        text = " ".join(title[1].split()) if title else reason
        return Said(status, text, text.lower(), wait=_wait(headers, (), text), is_page=True)
    leaves = tuple(_leaves("", body, 0))
    spoken = [text for key, text in leaves if key in _SENTENCE_KEYS and text.strip()]
    sentences = [text for text in dict.fromkeys(spoken) if not text.lstrip().startswith(("{", "["))]
    # An outer message such as "Provider returned error" says less than the one inside.
    sentence = ": ".join(text.rstrip(" .:") for text in sentences[:2])
    sentence = sentences[0] if len(sentences) == 1 else sentence
    words = " ".join(text for _, text in leaves)
    return Said(
        status,
        sentence or reason,
        words.lower(),
        codes=frozenset(text.lower() for key, text in leaves if key in _CODE_KEYS),
        names=tuple(text for key, text in leaves if key in _NAME_KEYS),
        wait=_wait(headers, leaves, words),
        repeat={"true": True, "false": False}.get(headers.get("x-should-retry", "")),
    )


def is_html(text: object) -> bool:
    """Whether an answer is a page for people: the address is that of a website, or of a proxy."""
    return isinstance(text, str) and _HTML.match(text) is not None


def _leaves(key: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever JSON holds
    """Every text and number of a body with the key it stands under, in lower case."""
    if depth > _MAX_DEPTH or key in _ECHOES:
        return
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _leaves(str(name).lower(), below, depth + 1)
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(key, below, depth + 1)
    elif isinstance(value, str):
        text = value[:_MAX_LEAF]
        nested = _nested(text)
        if nested is None:
            yield key, text
        else:
            yield from _leaves(key, nested, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key if key not in _SENTENCE_KEYS else "number", str(value)


def _nested(text: str) -> object | None:
    """The JSON that a text holds, or None."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found: object = json.loads(text)
    except ValueError:
        return None
    return found


def _wait(headers: Mapping[str, str], leaves: tuple[tuple[str, str], ...], words: str) -> float | None:
    """The seconds that an answer asks to wait: of its headers, its fields, or its words."""
    asked = [_number(headers.get("retry-after-ms"), 0.001), _number(headers.get("retry-after"), 1.0)]
    asked.append(_until(headers.get("retry-after")))
    asked += [_span(text) for key, text in leaves if key == "retrydelay"]
    found = _WAIT.search(words)
    asked.append(_span(found[1]) if found else None)
    return next((seconds for seconds in asked if seconds is not None), None)


def _number(text: str | None, unit: float) -> float | None:
    try:
        seconds = float(text or "") * unit
    except ValueError:
        return None
    return seconds if seconds >= 0 and math.isfinite(seconds) else None


def _until(text: str | None) -> float | None:
    """Seconds until a date of HTTP (RFC 9110, section 10.2.3)."""
    try:
        moment = email.utils.parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return max(0.0, moment.timestamp() - time.time())


def _span(text: str) -> float | None:
    """Seconds of a span such as ``34.07s`` or ``7m12s``."""
    parts = _SPAN.findall(text)
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts) if parts else None
