"""Drafts pages with a student in a worker process; torch never enters this one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import RunError, TeacherError
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.line_process import ChildError, LineProcess
from ocrstudio.settings.teacher import GenerationConfig, LocalConfig, TeacherConfig
from ocrstudio.tasks import Task, student_prompt
from ocrstudio.teachers.base import TRUNCATED, Draft, PageSource
from ocrstudio.teachers.errors import EmptyAnswerError, TeacherUnavailableError
from ocrstudio.teachers.pictures import Pictures
from ocrstudio.teachers.postprocessing import finish

_NAME = "The student"
_LOADING_TIMEOUT = 1800.0  # a first start downloads 6.7 GB of weights


@dataclass(frozen=True)
class _Order:
    """A page that waits for its place in a batch."""

    image: Path
    prompt: str
    answer: asyncio.Future[dict[str, Any]]


class StudentTeacher:
    """A student in a worker, decoding several pages at once.

    Args:
        config: A configuration of type ``local``.
        local: Its section ``local``.
        generation: Its section ``generation``.
        on_notice: Told what the worker says while it loads.
    """

    network = False

    def __init__(
        self,
        config: TeacherConfig,
        local: LocalConfig,
        generation: GenerationConfig,
        *,
        on_notice: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._local = local
        self._model_type = config.model_type
        self._timeout = config.request.timeout
        self._generation: dict[str, Any] = generation.model_dump(exclude={"extra_body"}, mode="json")
        if config.image is not None:
            self._generation["image"] = config.image.model_dump(mode="json")
        self._on_notice = on_notice
        self._process: LineProcess | None = None
        self._pictures = Pictures(self.concurrency)
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        self._decoder: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """``local:<model folder>``, with the adapter's folder when there is one."""
        names = [Path(self._local.model_path).name]
        if self._local.adapter_path is not None:
            names.append(Path(self._local.adapter_path).name)
        return f"local:{'+'.join(names)}"

    @property
    def concurrency(self) -> int:
        """Two batches: one is decoded while the pictures of the next are prepared."""
        return 2 * self._local.batch_size

    async def open(self) -> None:
        """Start the worker and load the model.

        Raises:
            TeacherUnavailableError: The model cannot be loaded.
        """
        arguments = ["serve", "--model", self._local.model_path]
        if self._local.adapter_path is not None:
            arguments += ["--adapter", self._local.adapter_path]
        if self._local.load_in_4bit:
            arguments.append("--load-in-4bit")
        try:
            command = worker_command(*arguments)
            process = LineProcess(
                command, name=_NAME, start_timeout=_LOADING_TIMEOUT, on_notice=self._on_notice
            )
            await process.start()
        except (ChildError, RunError) as error:
            raise TeacherUnavailableError(error.message, error.hint) from error
        self._process = process
        self._pictures.open()
        self._decoder = asyncio.create_task(self._decode())

    async def draft(self, page: PageSource, task: Task) -> Draft:
        """Predict one page, in a batch with others that wait.

        Raises:
            TeacherUnavailableError: The worker is gone.
            TeacherError: The student failed on this page.
        """
        if self._process is None:
            raise TeacherError("The teacher is not open.")
        prompt = student_prompt(task)
        path, remarks = (page.image, ()) if page.image is not None else await self._pictures.file(page)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        started = time.monotonic()
        self._orders.put_nowait(_Order(path, prompt, answer))
        try:
            result = await answer
        except ChildError as error:
            gone = self._process is None or not self._process.is_running
            kind = TeacherUnavailableError if gone else TeacherError
            raise kind(f"{page.key}: {error.message}", error.hint) from error
        finally:
            if path != page.image:
                path.unlink(missing_ok=True)
        if "error" in result:
            raise TeacherError(f"{page.key}: {result['error']}", str(result.get("hint", "")))
        return replace(
            self._draft(result, page, prompt, time.monotonic() - started),
            remarks=(*remarks, *_about_the_model(result)),
        )

    async def close(self) -> None:
        """End the worker and remove temporary pictures."""
        if self._decoder is not None:
            self._decoder.cancel()
            await asyncio.gather(self._decoder, return_exceptions=True)
            self._decoder = None
        if self._process is not None:
            await self._process.close()
            self._process = None
        await self._pictures.close()

    async def _decode(self) -> None:
        """Send waiting pages to the worker, as many at once as the batch size allows."""
        while True:
            batch = [await self._orders.get()]
            while len(batch) < self._local.batch_size and not self._orders.empty():
                batch.append(self._orders.get_nowait())
            wanted = [order for order in batch if not order.answer.done()]
            if wanted:
                await self._predict(wanted)

    async def _predict(self, batch: list[_Order]) -> None:
        if self._process is None:
            return
        params = {
            "images": [str(order.image) for order in batch],
            "prompts": [order.prompt for order in batch],
            "generation": self._generation,
        }
        try:
            results = await self._process.request("predict", params, timeout=self._timeout * len(batch))
        except ChildError as error:
            for order in batch:
                if not order.answer.done():
                    order.answer.set_exception(error)
            return
        for order, result in zip(batch, results, strict=True):
            if not order.answer.done():
                order.answer.set_result(result)

    def _draft(self, result: dict[str, Any], page: PageSource, prompt: str, seconds: float) -> Draft:
        raw = str(result["text"])
        if not raw.strip():
            raise EmptyAnswerError(
                f"{page.key}: the student gave an empty answer.",
                "Is the page blank? If not, try another task.",
            )
        text, regions, flags = finish(raw, self._model_type)
        if result.get("truncated") and TRUNCATED not in flags:
            flags = (*flags, TRUNCATED)
        return Draft(
            text=text,
            raw=raw,
            regions=regions,
            prompt=prompt,
            parameters={
                "model": self._local.model_path,
                "adapter": self._local.adapter_path,
                "load_in_4bit": self._local.load_in_4bit,
                "model_type": self._model_type,
                **self._generation,
                # An adapter keeps the image settings that it was trained with, whatever was asked for.
                **({"image": result["image"]} if "image" in result else {}),
                "tokens": result.get("tokens"),
                "seconds": round(seconds, 3),
            },
            flags=flags,
            seconds=seconds,
        )


def _about_the_model(result: dict[str, Any]) -> tuple[str, ...]:
    """What the student says about its settings: its remarks but for the last ones, a clause for each flag."""
    remarks = tuple(map(str, result.get("remarks", ())))
    return remarks[: len(remarks) - len(result.get("flags", ()))]
