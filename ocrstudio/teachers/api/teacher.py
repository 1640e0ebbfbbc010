"""Drafts pages through the chat endpoint of a server."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocrstudio.domain.errors import TeacherError
from ocrstudio.settings.teacher import (
    ApiConfig,
    GenerationConfig,
    RequestConfig,
    TeacherConfig,
    request_extras,
)
from ocrstudio.tasks import Task
from ocrstudio.teachers.api.cleaning import Cleaned, clean
from ocrstudio.teachers.api.pace import Pace
from ocrstudio.teachers.api.profile import LIMIT_NAMES, PictureLimits, ServerProfile
from ocrstudio.teachers.base import REFUSAL, TALK, TRUNCATED, Draft, PageSource
from ocrstudio.teachers.errors import EmptyAnswerError, TeacherUnavailableError
from ocrstudio.teachers.page_image import EncodedImage
from ocrstudio.teachers.pictures import Pictures
from ocrstudio.teachers.postprocessing import finish

if TYPE_CHECKING:
    from ocrstudio.teachers.api.answer import Answer
    from ocrstudio.teachers.api.said import Said

_AHEAD = 2  # pictures prepared while all requests wait for answers
_PATIENCE = 120.0
"""Seconds that a busy server may ask for, or the time-out where that is longer."""
_BUSY_IN_A_ROW = 3
"""Pages after one another that a busy server sent away, each asked as often as allowed: it lets nobody in."""
_SAME_IN_A_ROW = 5
"""First pages of a batch that were refused with the same words: so will be all the others."""
_MOST_LESSONS = 16
"""Refusals of one page that something is learnt from, whatever a server comes up with."""
_REFUSALS = re.compile(
    r"\s*(i.?m sorry|i am sorry|sorry,|i apologi[sz]e|i can(no|.?)t |i.?m (not able|unable)|as an ai\b)",
    re.IGNORECASE,
)
_REFUSAL_LENGTH = 400


@dataclass(frozen=True)
class _Exchange:
    """A request that was answered: the answer, and what was sent for it."""

    completion: Any
    parameters: dict[str, Any]
    picture: EncodedImage
    seconds: float


class ApiTeacher:
    """A model behind an OpenAI-compatible server.

    What the server takes is learnt from what it refuses, once for all pages between `open` and `close`.

    Args:
        config: A configuration of type ``api``.
        api: Its section ``api``.
        generation: Its section ``generation``.
    """

    network = True

    def __init__(self, config: TeacherConfig, api: ApiConfig, generation: GenerationConfig) -> None:
        self._api = api
        self._request: RequestConfig = config.request
        self._model_type = config.model_type
        limit = LIMIT_NAMES[api.server == "openai"]
        standard = {"temperature": generation.temperature, limit: generation.max_tokens}
        self._wanted = standard | request_extras(config)
        self._slots = asyncio.Semaphore(config.request.concurrent_requests)
        self._pictures = Pictures(self.concurrency)
        self._client: Any = None
        self._server: Any = None
        self._gone: TeacherUnavailableError | None = None
        self._begin()

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
        self._begin()
        self._pictures.open()
        await asyncio.to_thread(self._make_client)

    async def draft(self, page: PageSource, task: Task) -> Draft:
        """Send the picture of a page with the task's prompt.

        Raises:
            TeacherUnavailableError: No page can be drafted: the server cannot be reached, refuses the key,
                lacks the model, or gives no more answers.
            TeacherError: The server failed on this page, or answered nothing.
            InputError: The picture cannot be made.
        """
        picture = await self._picture(page, self._profile.pictures)
        await self._pace.turn()
        try:
            async with self._slots:
                exchange = await self._ask(picture, page, task)
            return self._draft(exchange, page, task)
        except TeacherUnavailableError as error:
            self._gone = self._gone or error
            raise
        finally:
            self._pace.first_is_through()

    async def close(self) -> None:
        """Close the connections and end what draws pages."""
        await self._pictures.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _begin(self) -> None:
        """Know nothing of the server."""
        limits = PictureLimits(self._api.image_format, self._api.max_image_side)
        self._profile = ServerProfile(self._wanted, limits)
        self._pace = Pace()
        self._gone = None
        self._answers = 0
        self._sent_away = 0
        self._refusals: Counter[str] = Counter()

    def _make_client(self) -> None:
        from ocrstudio.teachers.api.client import make_client

        patience = max(_PATIENCE, self._request.timeout)
        self._client, self._server = make_client(self._api, self._request.timeout, patience)

    async def _picture(self, page: PageSource, limits: PictureLimits) -> EncodedImage:
        return await self._pictures.encoded(page, limits.format, limits.max_side)

    async def _ready(self, picture: EncodedImage, page: PageSource) -> EncodedImage:
        """Wait until a request may go out; the picture as pages are sent now."""
        await self._pace.ready()
        if self._gone is not None:  # another page has found out
            raise self._gone
        limits = self._profile.pictures
        return picture if limits.fits(picture) else await self._picture(page, limits)

    async def _ask(self, picture: EncodedImage, page: PageSource, task: Task) -> _Exchange:
        """Send a page until it is answered: otherwise where the server refuses, again where it is busy."""
        import openai

        from ocrstudio.teachers.api.errors import said_by

        if self._client is None:
            raise TeacherError("The teacher is not open.")
        started = time.monotonic()
        attempts, lessons, answers = 0, 0, self._answers
        reduced = False
        while True:
            picture = await self._ready(picture, page)
            parameters = self._profile.parameters
            try:
                completion = await self._client.chat.completions.create(
                    model=self._api.model_name,
                    messages=_messages(picture, task),
                    extra_body=parameters or None,
                )
            except (openai.OpenAIError, ValueError) as error:
                said = said_by(error)
                learnt = (
                    said is not None and lessons < _MOST_LESSONS and self._learn(said, parameters, picture)
                )
                if not learnt:
                    # A rate limit is no failure as long as it lets other pages through.
                    is_queue = said is not None and said.wait is not None and self._answers > answers
                    attempts, answers = attempts + (not is_queue), self._answers
                    problem = self._final_problem(error, said, page, attempts)
                    if problem is not None:
                        # `from None`: the client's exceptions carry the request, and with it the key.
                        raise problem from None
            else:
                self._note_answer(reduced=reduced)
                return _Exchange(completion, parameters, picture, time.monotonic() - started)
            if not learnt:
                await self._wait(said, attempts)
                continue
            lessons += 1
            if not self._profile.smaller.fits(picture):
                picture, reduced = await self._picture(page, self._profile.smaller), True

    def _learn(self, said: "Said", parameters: dict[str, Any], picture: EncodedImage) -> bool:
        from ocrstudio.teachers.api.errors import quoted

        return self._profile.learn(said, parameters, picture, quoted(said.sentence, self._server))

    def _note_answer(self, *, reduced: bool) -> None:
        self._answers += 1
        self._sent_away = 0
        if reduced:
            self._profile.note_smaller_taken()

    def _final_problem(
        self, error: Exception, said: "Said | None", page: PageSource, attempts: int
    ) -> TeacherError | None:
        """Why a page is given up; None where the request is worth repeating."""
        from ocrstudio.teachers.api.errors import may_repeat, translate

        problem = translate(error, self._server, page.key)
        is_final = said is not None and isinstance(problem, TeacherUnavailableError)
        if not is_final and may_repeat(error, said) and attempts <= self._request.max_retries:
            return None
        return self._given_up(problem, said)

    async def _wait(self, said: "Said | None", attempts: int) -> None:
        if said is not None and said.wait is not None:
            self._pace.hold(said.wait)
        else:
            await self._pace.pause(attempts)

    def _given_up(self, problem: TeacherError, said: "Said | None") -> TeacherError:
        """The failure of a page; of the server, where it has sent several pages away in the same manner."""
        from ocrstudio.teachers.api.errors import is_busy, lets_nobody_in, quoted, refuses_all
        from ocrstudio.teachers.api.kinds import REFUSED

        if said is not None and is_busy(said):
            self._sent_away += 1
            return lets_nobody_in(said, self._server) if self._sent_away >= _BUSY_IN_A_ROW else problem
        if said is not None and said.status in REFUSED and not self._answers:
            words = quoted(said.sentence, self._server)
            self._refusals[words] += 1
            if self._refusals[words] >= _SAME_IN_A_ROW:
                return refuses_all(said, self._server, _SAME_IN_A_ROW)
        return problem

    def _draft(self, exchange: _Exchange, page: PageSource, task: Task) -> Draft:
        from ocrstudio.teachers.api.answer import read_answer

        answer = read_answer(exchange.completion, page, self._server)
        if answer.refusal is not None:
            raise TeacherError(
                f"{page.key}: {self._api.model_name} refused the page: {answer.refusal}",
                "Use another teacher.",
            )
        cleaned = clean(answer.text)
        self._require_text(cleaned, answer, page)
        text, regions, flags = finish(cleaned.text, self._model_type)
        return Draft(
            text=text,
            raw=answer.raw,
            regions=regions,
            prompt=f"{task.system}\n\n{task.user}" if task.system else task.user,
            parameters=self._parameters(exchange, answer),
            flags=self._flags(flags, cleaned, answer),
            remarks=(*exchange.picture.remarks, *self._profile.take_remarks()),
            seconds=exchange.seconds,
        )

    def _require_text(self, cleaned: Cleaned, answer: "Answer", page: PageSource) -> None:
        """Raise for an answer without a page in it."""
        if cleaned.thoughts or answer.thoughts:
            self._profile.note_thinking()
        is_cut = answer.finish_reason == "length"
        if cleaned.unfinished or (not cleaned.text.strip() and (cleaned.thoughts or answer.thoughts)):
            raise TeacherError(
                f"{page.key}: {self._api.model_name} wrote its thoughts and nothing of the page"
                f"{', because the answer was cut off' if is_cut else ''}.",
                "Raise generation.max_tokens, or switch thinking off; for vLLM with generation.extra_body: "
                "{chat_template_kwargs: {enable_thinking: false}}.",
                retryable=not is_cut,
            )
        if not cleaned.text.strip():
            raise EmptyAnswerError(
                f"{page.key}: {self._api.model_name} gave an empty answer.",
                "Is the page blank? If not, try another task, or raise generation.max_tokens.",
            )

    def _flags(self, flags: tuple[str, ...], cleaned: Cleaned, answer: "Answer") -> tuple[str, ...]:
        found = list(flags)
        if answer.finish_reason == "length" and TRUNCATED not in flags:
            found.append(TRUNCATED)
        if len(cleaned.text) < _REFUSAL_LENGTH and _REFUSALS.match(cleaned.text):
            found.append(REFUSAL)
        # A server that opens thoughts in the prompt does so for every page: after an answer without any, the
        # mark may stand on the page itself.
        if cleaned.unsure or (cleaned.unopened and self._profile.plain_answers):
            found.append(TALK)
        self._profile.plain_answers += not cleaned.thoughts
        return tuple(found)

    def _parameters(self, exchange: _Exchange, answer: "Answer") -> dict[str, Any]:
        """How the draft was made, for its revision: what was truly sent."""
        sent, picture = dict(exchange.parameters), exchange.picture
        limits = [sent.pop(name, None) for name in LIMIT_NAMES]
        left_out = self._profile.left_out
        return {
            "model": self._api.model_name,
            "base_url": self._api.base_url,
            "model_type": self._model_type,
            "temperature": sent.pop("temperature", None),
            "max_tokens": next((value for value in limits if value is not None), None),
            "extra_body": sent,
            **({"left_out": left_out} if left_out else {}),
            "image": {"width": picture.width, "height": picture.height, "mime": picture.mime},
            "finish_reason": answer.finish_reason,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "seconds": round(exchange.seconds, 3),
        }


def _messages(picture: EncodedImage, task: Task) -> list[dict[str, Any]]:
    system: list[dict[str, Any]] = [{"role": "system", "content": task.system}] if task.system else []
    content = [
        {"type": "image_url", "image_url": {"url": picture.data_url()}},
        {"type": "text", "text": task.user},
    ]
    return [*system, {"role": "user", "content": content}]
