"""What kind of failure an error answer is: recognised by status, codes and words, whoever the provider is.

The patterns are for words in lower case. They hold what OpenAI, Azure, Anthropic, Gemini, Mistral, Groq,
DeepSeek, OpenRouter, vLLM, LM Studio, Ollama, llama.cpp and xinference answer.
"""

import re
from http import HTTPStatus
from typing import Final

from ocrstudio.teachers.api.said import Said

REFUSED: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""Statuses of a request that the server does not take as it is."""

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_FLAGGED = re.compile(
    r"moderation|(input|prompt|content|request|image)\b[^.]{0,40}\bflagged"
    r"|content[ _](policy|filter|management)|safety system"
)
_MONEY_CODES = re.compile(r"insufficient_(quota|balance|credits?|funds)|billing|payment|credit_balance")
_MONEY = re.compile(
    r"(insufficient|low|no|out of|not enough|more) (account )?(balance|credits?|funds|quota)|credit balance"
    r"|(current|monthly|spending|usage) (quota|limit|budget)|billing|payment required|top up|recharge"
    r"|余额|欠费"
)
_BY_DAY = re.compile(r"per ?day|\b[rt]pd\b|daily (limit|quota)")
_KEY = re.compile(
    r"api[ _-]?key[ _]?(is |was )?(not valid|invalid|missing|expired|incorrect|required|not found|revoked)"
    r"|(invalid|incorrect|missing|expired|wrong|no|valid) (authentication|api[ _-]?key|credentials)"
    r"|invalid_api_key|authentication_error|unauthenticated|unauthorized"
)
_MODEL = re.compile(
    r"\bmodel[ _](identifier|id|name)?[^.]{0,80}?\b(not[ _]found|does not exist|doesn't exist|not exist"
    r"|not available|not a valid|no longer|decommissioned|not served|not loaded)"
    r"|(unknown|invalid|no such|not a valid) model\b|model_not_found|no models? (is |are )?loaded"
)
_BLIND = re.compile(
    r"(not|n't) support (image|vision|picture|multi-?modal)|no endpoints found that support image"
    r"|image (input|understanding|content)s? (is|are) not supported|image_url[^.]{0,40}not supported"
    r"|unknown variant `?image_url|not a multi-?modal model|mmproj|text-only model"
)
_CONTEXT = re.compile(
    r"context[ _](length|window|size)|maximum (context|model length)|max_model_len|too many tokens"
)
_PICTURE = re.compile(r"\b(images?|pictures?|pixels?|vision|multi-?modal|photo)\b|image_url")
_TOO_LARGE = re.compile(
    r"too (large|big|many|long)|exceed|maximum|\bmax\b|at most|(larger|greater|longer|smaller) than|\blimit"
    r"|dimensions?\b"
)
_TOKENS = re.compile(r"max_(completion_)?tokens")
_RANGE = re.compile(r"too (large|high|big)|at most|maximum|exceed|range|(less|greater|smaller) than")


def is_flagged(said: Said) -> bool:
    """Whether a filter took offence at this page."""
    return said.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN} and _in(_FLAGGED, said)


def is_money(said: Said) -> bool:
    """Whether quota or money is used up.

    A rate limit for a minute may speak of plans and billing too, but it says how long to wait.
    """
    if said.status == HTTPStatus.PAYMENT_REQUIRED or any(_MONEY_CODES.search(code) for code in said.codes):
        return True
    if said.status == HTTPStatus.TOO_MANY_REQUESTS and _in(_BY_DAY, said):
        return True
    refused = said.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    return refused and said.wait is None and _in(_MONEY, said)


def is_long_wait(said: Said, patience: float) -> bool:
    """Whether a busy server asks for more patience in seconds than there is."""
    return said.status in _BUSY and said.wait is not None and said.wait > patience


def is_key(said: Said) -> bool:
    """Whether the key is not taken."""
    if said.is_page:
        return False
    if said.status in {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }:
        return True
    return said.status in REFUSED and _in(_KEY, said)


def is_blind(said: Said) -> bool:
    """Whether the model takes no pictures at all."""
    return said.status >= HTTPStatus.BAD_REQUEST and _in(_BLIND, said)


def is_context_limit(said: Said) -> bool:
    """Whether picture, prompt and answer together are too long for the model."""
    return said.status in REFUSED and _in(_CONTEXT, said)


def is_token_limit(said: Said) -> bool:
    """Whether more tokens were asked for than the model ever writes."""
    return said.status in REFUSED and _in(_TOKENS, said) and _in(_RANGE, said)


def is_picture_limit(said: Said) -> bool:
    """Whether the picture of the page is too large for the server, in pixels, bytes or tokens."""
    if said.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    return said.status in REFUSED and _in(_PICTURE, said) and _in(_TOO_LARGE, said)


def is_model(said: Said) -> bool:
    """Whether there is no model of this name."""
    refused = said.status in REFUSED or said.status == HTTPStatus.NOT_FOUND
    return refused and not said.is_page and _in(_MODEL, said)


def is_website(said: Said) -> bool:
    """Whether something other than a model server answers at this address."""
    if said.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return True
    is_for_now = said.status in _BUSY or said.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return said.is_page and not is_for_now  # a proxy's page about a server that is down


def _in(pattern: re.Pattern[str], said: Said) -> bool:
    return pattern.search(said.words) is not None
