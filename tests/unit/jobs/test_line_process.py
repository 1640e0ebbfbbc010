import asyncio
import sys
import threading

import psutil
import pytest

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.line_process import ChildError, LineProcess
from tests.fakes.processes import children
from tests.fakes.runs import REPOSITORY, until


def _child(how: str = "serves", **options) -> LineProcess:
    return LineProcess([sys.executable, "-m", "tests.fakes.line_child", how], name="The engine", **options)


@pytest.fixture(autouse=True)
def nothing_left_behind(monkeypatch):
    """No thread, no zombie, no child outlives a test."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    threads = {thread for thread in threading.enumerate() if thread.name.startswith("line-process")}
    yield
    left = {thread for thread in threading.enumerate() if thread.name.startswith("line-process")} - threads
    assert left == set()
    assert children(recursive=True) == []


def test_requests_are_answered_by_number_even_when_they_overlap():
    async def story():
        notices = []
        async with _child(on_notice=notices.append) as child:
            answers = await asyncio.gather(
                *(child.request("echo", {"number": n, "text": "ä"}) for n in range(50))
            )
        return notices, answers

    notices, answers = asyncio.run(story())
    assert notices == [{"message": "loading"}]
    assert answers == [{"number": n, "text": "ä"} for n in range(50)]


def test_prints_of_libraries_do_not_reach_the_protocol():
    async def story():
        async with _child() as child:
            answer = await child.request("noise")
            await child.request("echo", {})
            return answer

    assert asyncio.run(story()) == "fine"


def test_a_large_request_and_answer_pass():
    async def story():
        async with _child() as child:
            return await child.request("echo", {"text": "x" * 3_000_000})

    assert len(asyncio.run(story())["text"]) == 3_000_000


def test_a_refusal_crosses_with_its_hint_and_the_child_goes_on():
    async def story():
        async with _child() as child:
            with pytest.raises(ChildError) as caught:
                await child.request("refuse")
            with pytest.raises(ChildError, match="ZeroDivisionError"):
                await child.request("break")
            with pytest.raises(ChildError, match="no method"):
                await child.request("juggle")
            return caught.value, await child.request("echo", {"still": "here"})

    error, answer = asyncio.run(story())
    assert (error.message, error.hint, error.retryable) == ("The page is upside down.", "Turn it.", True)
    assert answer == {"still": "here"}


def test_a_crash_fails_all_waiting_requests_with_the_last_words():
    async def story():
        async with _child() as child:
            results = await asyncio.gather(
                child.request("die"), child.request("echo"), return_exceptions=True
            )
            with pytest.raises(ChildError, match="killed by signal 9"):
                await child.request("echo")
            return results, child.is_running

    results, running = asyncio.run(story())
    assert all(isinstance(result, RunError) for result in results)
    assert "killed by signal 9" in results[0].message
    assert "out of memory, they said" in results[0].hint
    assert not running


@pytest.mark.parametrize(
    ("how", "message", "hint"),
    [
        ("dies early", "ended with status 3", "libfoo.so"),
        ("refuses", "The engine is not installed.", "Install it."),
        ("never ready", "not ready after 0.5 s", ""),
    ],
)
def test_a_child_that_does_not_come_up_says_why(how, message, hint):
    async def story():
        async with _child(how, start_timeout=0.5 if how == "never ready" else 30.0):
            pytest.fail("it must not start")

    with pytest.raises(ChildError) as caught:
        asyncio.run(story())
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_command_that_does_not_exist_is_a_sentence():
    async def story():
        await LineProcess(["/no/such/program"], name="The engine").start()

    with pytest.raises(ChildError, match="could not be started"):
        asyncio.run(story())


def test_a_slow_answer_times_out_and_close_kills_the_group():
    async def story():
        child = _child()
        await child.start()
        with pytest.raises(ChildError, match=r"did not answer within 0\.1 s") as caught:
            await child.request("hang", timeout=0.1)
        pending = asyncio.ensure_future(child.request("echo"))
        await asyncio.sleep(0)
        await child.close()
        await child.close()
        with pytest.raises(ChildError, match="was closed"):
            await pending
        with pytest.raises(ChildError, match="was closed"):
            await child.request("echo")
        return caught.value.retryable

    assert asyncio.run(story())


def test_a_cancelled_start_leaves_nothing_behind():
    async def story():
        task = asyncio.ensure_future(_child("never ready").start())
        await asyncio.to_thread(until, children)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_the_child_leads_a_process_group_of_its_own():
    async def story():
        async with _child() as child:
            return await child.request("group")

    assert asyncio.run(story()) != psutil.Process().pid
