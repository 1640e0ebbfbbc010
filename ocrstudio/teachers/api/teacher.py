"""Drafts pages through the chat endpoint of a server."""

import asyncio
import re
import time
from typing import Any

from ocrstudio.domain.errors import TeacherError
from ocrstudio.settings.secrets import find_api_key
from ocrstudio.settings.teacher import (
    ApiConfig,
    GenerationConfig,
    RequestConfig,
    TeacherConfig,
    request_extras,
)
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import REFUSAL, TRUNCATED, Draft, PageSource
from ocrstudio.teachers.errors import EmptyAnswerError
from ocrstudio.teachers.page_image import EncodedImage
from ocrstudio.teachers.pictures import Pictures
from ocrstudio.teachers.postprocessing import finish

_AHEAD = 2  # pictures prepared while all requests wait for answers
_NO_KEY = "none"  # the client insists on a key; servers on this machine ignore it
_REFUSALS = re.compile(
    r"\s*(i.?m sorry|i am sorry|sorry,|i apologi[sz]e|i can(no|.?)t |i.?m (not able|unable)|as an ai\b)",
    re.IGNORECASE,
)
_REFUSAL_LENGTH = 400


class ApiTeacher:
    """A model behind an OpenAI-compatible server.

    Args:
        config: A configuration of type ``api``.
        api: Its section ``api``.
        generation: Its section ``generation``.
    """

    network = True

    def __init__(self, config: TeacherConfig, api: ApiConfig, generation: GenerationConfig) -> None:
        self._api = api
        self._generation = generation
        self._request: RequestConfig = config.request
        self._model_type = config.model_type
        self._extras = request_extras(config)
        self._slots = asyncio.Semaphore(config.request.concurrent_requests)
        self._pictures = Pictures(self.concurrency)
        self._client: Any = None
        self._server: Any = None

    def __repr__(self) -> str:
        return f"ApiTeacher({self._api.model_name!r} at {self._api.base_url!r})"

    @property
    def id(self) -> str:
        """``api:<model>``."""
        return f"api:{self._api.model_name}"

    @property
    def concurrency(self) -> int:
        """The requests allowed at once, and a few pages whose pictures are prepared meanwhile."""
        return self._request.concurrent_requests + _AHEAD

    async def open(self) -> None:
        """Make the client; the server is not asked anything yet."""
        self._pictures.open()
        await asyncio.to_thread(self._make_client)

    async def draft(self, page: PageSource, task: Task) -> Draft:
        """Send the picture of a page with the task's prompt.

        Raises:
            TeacherUnavailableError: The server cannot be reached, refuses the key, or lacks the model.
            TeacherError: The server failed on this page, or answered nothing.
            InputError: The picture cannot be made.
        """
        picture = await self._pictures.encoded(page, self._api.image_format, self._api.max_image_side)
        async with self._slots:
            started = time.monotonic()
            completion = await self._ask(picture, page, task)
            seconds = time.monotonic() - started
        return self._draft(completion, picture, page, task, seconds)

    async def close(self) -> None:
        """Close the connections and end what draws pages."""
        await self._pictures.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _make_client(self) -> None:
        import openai

        from ocrstudio.teachers.api.errors import Server

        key = find_api_key(self._api).value
        self._server = Server(
            self._api.base_url, self._api.model_name, self._request.timeout, () if key is None else (key,)
        )
        self._client = openai.AsyncOpenAI(
            base_url=self._api.base_url,
            api_key=_NO_KEY if key is None else key.get_secret_value(),
            timeout=self._request.timeout,
            max_retries=self._request.max_retries,
        )

    async def _ask(self, picture: EncodedImage, page: PageSource, task: Task) -> Any:  # noqa: ANN401
        import openai

        from ocrstudio.teachers.api.errors import translate

        if self._client is None:
            raise TeacherError("The teacher is not open.")
        messages: list[dict[str, Any]] = [{"role": "system", "content": task.system}] if task.system else []
        content = [
            {"type": "image_url", "image_url": {"url": picture.data_url()}},
            {"type": "text", "text": task.user},
        ]
        messages.append({"role": "user", "content": content})
        limit = "max_completion_tokens" if self._api.server == "openai" else "max_tokens"
        try:
            return await self._client.chat.completions.create(
                model=self._api.model_name,
                messages=messages,
                temperature=self._generation.temperature,
                extra_body=self._extras or None,
                **{limit: self._generation.max_tokens},
            )
        except (openai.OpenAIError, ValueError) as error:
            # `from None`: the client's exceptions carry the request, and with it the key.
            raise translate(error, self._server, page.key) from None

    def _draft(
        self,
        completion: Any,  # noqa: ANN401 - the client's type
        picture: EncodedImage,
        page: PageSource,
        task: Task,
        seconds: float,
    ) -> Draft:
        from ocrstudio.teachers.api.answer import read_answer

        answer = read_answer(completion, page, self._server)
        if answer.refusal is not None:
            raise TeacherError(
                f"{page.key}: {self._api.model_name} refused the page: {answer.refusal}",
                "Use another teacher.",
            )
        raw = answer.text
        if not raw.strip():
            raise EmptyAnswerError(
                f"{page.key}: {self._api.model_name} gave an empty answer.",
                "Is the page blank? If not, try another task, or raise generation.max_tokens.",
            )
        text, regions, flags = finish(raw, self._model_type)
        if answer.finish_reason == "length" and TRUNCATED not in flags:
            flags = (*flags, TRUNCATED)
        if len(raw) < _REFUSAL_LENGTH and _REFUSALS.match(raw):
            flags = (*flags, REFUSAL)
        return Draft(
            text=text,
            raw=raw,
            regions=regions,
            prompt=f"{task.system}\n\n{task.user}" if task.system else task.user,
            parameters={
                "model": self._api.model_name,
                "base_url": self._api.base_url,
                "model_type": self._model_type,
                "temperature": self._generation.temperature,
                "max_tokens": self._generation.max_tokens,
                "extra_body": self._extras,
                "image": {"width": picture.width, "height": picture.height, "mime": picture.mime},
                "finish_reason": answer.finish_reason,
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": answer.completion_tokens,
                "seconds": round(seconds, 3),
            },
            flags=flags,
            remarks=picture.remarks,
            seconds=seconds,
        )
