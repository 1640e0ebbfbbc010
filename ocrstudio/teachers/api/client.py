"""The HTTP client: what it tells a server about this computer, and that it does not repeat by itself."""

from typing import Any

import openai  # noqa: TID253 - this module is imported when a teacher opens, never at the start

from ocrstudio import __version__
from ocrstudio.settings.secrets import find_api_key
from ocrstudio.settings.teacher import ApiConfig
from ocrstudio.teachers.api.errors import Server

_NO_KEY = "none"  # the client insists on a key; servers on this machine ignore it
_PLATFORM_PREFIX = "x-stainless-"
_ACCOUNT = ("openai-organization", "openai-project")


def make_client(api: ApiConfig, timeout: float, patience: float) -> tuple[Any, Server]:
    """The client of a server, and what messages need to know about it.

    The openai package tells every server the operating system, processor and Python version, and the
    organisation and project of OPENAI_ORG_ID and OPENAI_PROJECT_ID. None of it is needed for an answer: the
    former is never sent, the latter only with the key of OPENAI_API_KEY, to which they belong.

    Args:
        api: The section ``api`` of a configuration.
        timeout: Seconds for an answer.
        patience: Longest wait in seconds that the server may ask for.
    """
    key = find_api_key(api)
    unwanted = () if key.source == "environment" else _ACCOUNT

    async def say_little(request: Any) -> None:  # noqa: ANN401 - of httpx or httpx2, as the client chooses
        for name in [name for name in request.headers if name.lower().startswith(_PLATFORM_PREFIX)]:
            del request.headers[name]
        for name in unwanted:
            request.headers.pop(name, None)
        request.headers["user-agent"] = f"ocrstudio/{__version__}"

    client = openai.AsyncOpenAI(
        base_url=api.base_url,
        api_key=_NO_KEY if key.value is None else key.value.get_secret_value(),
        timeout=timeout,
        max_retries=0,  # the teacher repeats: it knows what is worth it, and for how many pages
        http_client=openai.DefaultAsyncHttpxClient(timeout=timeout, event_hooks={"request": [say_little]}),
    )
    secrets = () if key.value is None else (key.value,)
    return client, Server(api.base_url, api.model_name, timeout, secrets, patience)
