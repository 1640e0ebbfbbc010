"""The batch runner: bounded, isolated, cancellable, and it loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.domain.errors import InputError, TeacherError
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import Draft, PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch
from ocrstudio.teachers.errors import TeacherUnavailableError

TASK = Task("markdown", "", "Convert this document to markdown.", False, "")


class Scripted:
    """Runs a coroutine function for each page."""

    id = "scripted"
    network = False

    def __init__(self, script: Callable[[PageSource], Awaitable[Draft]], concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self._script = script
        self.at_once = self.most_at_once = 0

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def draft(self, page: PageSource, task: Task) -> Draft:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._script(page)
        finally:
            self.at_once -= 1


def pages(count: int) -> list[PageSource]:
    return [PageSource(f"page {number}", page_index=number) for number in range(count)]


def run(teacher: Scripted, count: int, **options: object) -> tuple[BatchSummary, list[PageResult]]:
    results: list[PageResult] = []
    summary = asyncio.run(run_batch(teacher, pages(count), TASK, on_result=results.append, **options))
    return summary, results


def test_all_pages_are_drafted_with_bounded_concurrency() -> None:
    async def script(page: PageSource) -> Draft:
        for _ in range(1 + page.page_index % 3):
            await asyncio.sleep(0)
        return Draft(page.key)

    teacher = Scripted(script, concurrency=4)
    summary, results = run(teacher, 50)
    assert (summary.done, summary.failed, summary.untouched, summary.cancelled) == (50, 0, 0, False)
    assert {result.draft.text for result in results} == {f"page {number}" for number in range(50)}
    assert teacher.most_at_once == 4


def test_no_pages_is_an_empty_summary() -> None:
    async def script(page: PageSource) -> Draft:
        return Draft(page.key)

    summary, results = run(Scripted(script), 0)
    assert (summary.total, summary.done, results) == (0, 0, [])


def test_results_arrive_in_order_of_completion() -> None:
    first_may_end = asyncio.Event()

    async def script(page: PageSource) -> Draft:
        if page.page_index == 0:
            await first_may_end.wait()
        elif page.page_index == 2:
            first_may_end.set()
        return Draft(page.key)

    _, results = run(Scripted(script, concurrency=2), 3)
    assert [result.page.page_index for result in results] == [1, 2, 0]


def test_a_failed_page_is_reported_and_the_others_go_on() -> None:
    async def script(page: PageSource) -> Draft:
        if page.page_index == 1:
            raise InputError("This picture is broken.")
        return Draft(page.key)

    summary, results = run(Scripted(script), 3)
    assert (summary.done, summary.failed) == (2, 1)
    assert results[1].error.message == "This picture is broken."
    assert results[1].draft is None


def test_a_retryable_page_gets_a_second_chance_after_the_others() -> None:
    asked: list[int] = []

    async def script(page: PageSource) -> Draft:
        asked.append(page.page_index)
        if page.page_index == 0 and asked.count(0) == 1:
            raise TeacherError("busy", retryable=True)
        if page.page_index == 1:
            raise TeacherError("always busy", retryable=True)
        return Draft(page.key)

    summary, _ = run(Scripted(script), 4)
    assert asked == [0, 1, 2, 3, 0, 1]
    assert (summary.done, summary.failed) == (3, 1)


def test_an_unavailable_teacher_ends_the_batch_with_one_reason() -> None:
    gone = TeacherUnavailableError("No connection.", "Is it running?")

    async def script(page: PageSource) -> Draft:
        if page.page_index < 2:
            return Draft(page.key)
        raise gone

    summary, results = run(Scripted(script), 1000)
    assert summary.stopped_by is gone
    assert (summary.done, summary.failed, summary.untouched) == (2, 0, 998)
    assert not summary.cancelled
    assert len(results) == 2


def test_cancelling_gives_up_pages_in_hand_at_once() -> None:
    given_up: list[int] = []

    async def scenario() -> BatchSummary:
        cancel = asyncio.Event()

        async def script(page: PageSource) -> Draft:
            if page.page_index < 3:
                return Draft(page.key)
            try:
                while len(results) < 3:
                    await asyncio.sleep(0.01)
                cancel.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.append(page.page_index)
                raise
            raise AssertionError

        return await asyncio.wait_for(
            run_batch(
                Scripted(script, concurrency=2), pages(9), TASK, on_result=results.append, cancel=cancel
            ),
            timeout=5,
        )

    results: list[PageResult] = []
    summary = asyncio.run(scenario())
    assert summary.cancelled
    assert summary.done == len(results) == 3
    assert sorted(given_up) == [3, 4]


def test_a_result_that_is_complete_when_the_user_cancels_is_kept() -> None:
    results: list[PageResult] = []

    async def scenario() -> BatchSummary:
        cancel = asyncio.Event()

        async def script(page: PageSource) -> Draft:
            cancel.set()  # the draft is complete in the same turn of the loop as the cancellation
            return Draft(page.key)

        return await run_batch(Scripted(script), pages(5), TASK, on_result=results.append, cancel=cancel)

    summary = asyncio.run(scenario())
    assert summary.done == len(results) == 1


def test_an_error_while_a_result_is_kept_ends_the_batch_and_is_passed_on() -> None:
    async def script(page: PageSource) -> Draft:
        return Draft(page.key)

    def disk_full(_: PageResult) -> None:
        raise InputError("No space left.")

    with pytest.raises(InputError, match="No space left"):
        asyncio.run(run_batch(Scripted(script, 3), pages(9), TASK, on_result=disk_full))


def test_a_bug_in_a_teacher_is_not_taken_for_a_failed_page() -> None:
    async def script(page: PageSource) -> Draft:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Scripted(script), 3)


def test_the_teacher_goes_on_while_a_page_is_measured_and_its_answer_is_handed_over_at_once(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "page.png"
    Image.new("L", (400, 400), "white").save(picture)
    told: list[tuple[str, int, str]] = []

    async def script(page: PageSource) -> Draft:
        told.append(("asked", page.page_index, ""))
        return Draft("Far more text than a blank page can have. " * 9)

    def keep(page: PageSource, draft: Draft) -> None:
        told.append(("answer", page.page_index, draft.parameters["check"]["verdict"]))

    def take(result: PageResult) -> None:
        told.append(("result", result.page.page_index, result.draft.parameters["check"]["verdict"]))

    sources = [PageSource(f"page {number}", image=picture, page_index=number) for number in range(3)]
    summary = asyncio.run(run_batch(Scripted(script), sources, TASK, on_result=take, on_answer=keep))
    assert summary.done == 3
    # The child that measures has yet to start when the first answer is there.
    assert told[:3] == [("asked", 0, ""), ("answer", 0, "unchecked"), ("asked", 1, "")]
    assert sorted(each for each in told if each[0] == "result") == [
        ("result", number, "unfounded") for number in range(3)
    ]
