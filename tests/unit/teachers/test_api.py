"""The teacher on a server, against a real HTTP server on the loopback interface."""

import asyncio
import base64
import io
import logging
import socket
from pathlib import Path

import pytest
from PIL import Image

from ocrstudio.domain.errors import OcrStudioError, TeacherError
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import REFUSAL, RUNAWAY, TRUNCATED, Draft, PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult
from ocrstudio.teachers.errors import TeacherUnavailableError
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.batches import batch_of
from tests.fakes.openai_server import OpenAiServer

TASK = Task("markdown", "You transcribe.", "Convert this document to markdown.", False, "")
KEY = "sk-very-secret-0123456789"


@pytest.fixture
def server():
    with OpenAiServer() as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> PageSource:
    path = tmp_path / "page.png"
    Image.new("RGB", (300, 400), "white").save(path)
    return PageSource("scan.pdf, page 3", image=path)


@pytest.fixture(autouse=True)
def _no_key_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def make(base_url: str, **overrides: object):
    values = {
        "type": "api",
        "api.base_url": base_url,
        "api.api_key": KEY,
        "model_type": "default",
        "request.max_retries": 0,
        "request.timeout": 5.0,
        **overrides,
    }
    return create_teacher(load_teacher_config(None, values))


def draft(teacher, page: PageSource, task: Task = TASK) -> Draft:
    async def scenario() -> Draft:
        await teacher.open()
        try:
            return await teacher.draft(page, task)
        finally:
            await teacher.close()

    return asyncio.run(scenario())


def failure(teacher, page: PageSource) -> OcrStudioError:
    with pytest.raises(OcrStudioError) as caught:
        draft(teacher, page)
    return caught.value


def batch(teacher, pages: list[PageSource]) -> tuple[BatchSummary, list[PageResult]]:
    return batch_of(teacher, pages, TASK)


def sent_image(server: OpenAiServer) -> Image.Image:
    content = server.requests[-1].body["messages"][-1]["content"]
    url = content[0]["image_url"]["url"]
    return Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2])))


def test_a_page_is_sent_as_a_picture_with_both_prompts(server: OpenAiServer, page: PageSource) -> None:
    result = draft(make(server.base_url), page)
    assert result.text == "# Title\n\nA page."
    assert result.prompt == "You transcribe.\n\nConvert this document to markdown."
    request = server.requests[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    system, user = request.body["messages"]
    assert system == {"role": "system", "content": "You transcribe."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert user["content"][1]["text"] == "Convert this document to markdown."
    assert sent_image(server).size == (300, 400)
    assert sent_image(server).format == "PNG"


def test_generation_parameters_and_the_no_repeat_rule_reach_vllm(
    server: OpenAiServer, page: PageSource
) -> None:
    draft(make(server.base_url, **{"generation.temperature": 0.3, "generation.max_tokens": 77}), page)
    body = server.requests[0].body
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0.3, 77, "deepseek-ocr")
    assert body["skip_special_tokens"] is False
    assert body["vllm_xargs"]["ngram_size"] == 30


def test_other_servers_get_no_vllm_parameters(server: OpenAiServer, page: PageSource) -> None:
    draft(make(server.base_url, **{"api.server": "openai"}), page)
    body = server.requests[0].body
    assert "vllm_xargs" not in body
    assert body["max_completion_tokens"] == 4096


def test_a_picture_can_be_reduced_and_sent_as_jpeg(server: OpenAiServer, page: PageSource) -> None:
    draft(make(server.base_url, **{"api.max_image_side": 200, "api.image_format": "jpg"}), page)
    assert sent_image(server).size == (150, 200)
    assert sent_image(server).format == "JPEG"


def test_grounding_output_becomes_markdown_and_regions(page: PageSource) -> None:
    raw = "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 99]]<|/det|>\n# Hello\n"
    with OpenAiServer(raw) as server:
        result = draft(make(server.base_url, model_type="deepseek-document"), page)
    assert result.text.strip() == "# Hello"
    assert result.raw == raw
    assert result.regions[0].label == "title"


def test_an_answer_at_the_token_limit_is_flagged(server: OpenAiServer, page: PageSource) -> None:
    server.fail_next("length")
    assert TRUNCATED in draft(make(server.base_url), page).flags


def test_an_answer_that_never_ends_is_flagged(page: PageSource) -> None:
    with OpenAiServer("The end is near.\n" * 200) as server:
        assert RUNAWAY in draft(make(server.base_url), page).flags


def test_a_polite_refusal_is_flagged(page: PageSource) -> None:
    with OpenAiServer("I'm sorry, I can't help with that.") as server:
        assert REFUSAL in draft(make(server.base_url), page).flags


@pytest.mark.parametrize("text", ["I can see the sea.", "Image of a dog", "Sorry Day is on 26 May."])
def test_ordinary_text_is_no_refusal(page: PageSource, text: str) -> None:
    with OpenAiServer(text) as server:
        assert draft(make(server.base_url), page).flags == ()


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("empty_answer", None, "empty answer"),
        ("empty_choices", None, "no choices"),
        ("refusal", "Not allowed.", "refused the page: Not allowed."),
        ("bad_json", None, "does not follow the OpenAI protocol"),
        ("status", 500, "status 500: The server says 500."),
        ("status", 429, "too many requests"),
        ("disconnect", None, "broke the connection off"),
        ("refuse_request", "This model's maximum context length is 8192 tokens.", "model's context"),
    ],
)
def test_a_failure_of_a_page_is_one_sentence_about_it(
    server: OpenAiServer, page: PageSource, kind: str, value: object, words: str
) -> None:
    server.fail_always(kind, value)
    error = failure(make(server.base_url), page)
    assert isinstance(error, TeacherError)
    assert not isinstance(error, TeacherUnavailableError)
    assert error.message.startswith("scan.pdf, page 3: ")
    assert words in error.message
    assert error.hint


@pytest.mark.parametrize(
    "record",
    [
        None,
        ["no", "object"],
        {"choices": {"first": 1}},
        {"choices": [None]},
        {"choices": [{"message": "words"}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": {"text": "words"}}}]},
    ],
)
def test_an_answer_of_another_shape_fails_its_page_and_not_the_batch(
    server: OpenAiServer, page: PageSource, record: object
) -> None:
    server.fail_next("json", record)
    assert batch(make(server.base_url), [page] * 3)[0].done == 3  # the odd answer was asked for again
    server.fail_always("json", record)
    assert "no choices with a text" in failure(make(server.base_url), page).message


def test_the_error_of_a_gateway_that_answers_status_200_is_quoted(
    server: OpenAiServer, page: PageSource
) -> None:
    server.fail_always("json", {"error": {"message": f"Overloaded, {KEY}", "code": 502}})
    assert (
        "sent an error instead of an answer: Overloaded, ***." in failure(make(server.base_url), page).message
    )


def test_an_answer_in_parts_is_put_together(server: OpenAiServer, page: PageSource) -> None:
    parts = [{"type": "text", "text": "# Ti"}, {"type": "text", "text": "tle"}]
    server.fail_next("choice", {"message": {"role": "assistant", "content": parts}, "finish_reason": "stop"})
    assert draft(make(server.base_url), page).text == "# Title"


def test_half_a_character_is_replaced(page: PageSource) -> None:
    with OpenAiServer("Hello \ud83d") as server:
        result = draft(make(server.base_url), page)
    assert result.text == result.raw == "Hello \ufffd"


def test_a_server_that_hangs_is_given_up_after_the_timeout(server: OpenAiServer, page: PageSource) -> None:
    server.fail_always("hang")
    error = failure(make(server.base_url, **{"request.timeout": 0.2}), page)
    assert "no answer within 0.2 s" in error.message
    assert "request.timeout" in error.hint


def test_nobody_listening_tells_how_to_check(page: PageSource) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        error = failure(make(url), page)
    assert isinstance(error, TeacherUnavailableError)
    assert error.message == f"No connection to {url}."
    assert f"curl {url}/models" in error.hint
    assert "firewall" in error.hint


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("status", 401, "refused the API key"),
        ("status", 403, "refused the API key"),
        ("status", 404, 'does not know the model "deepseek-ocr"'),
        ("html", None, "is not the address of a model server's API"),
    ],
)
def test_what_would_fail_on_every_page_concerns_the_teacher(
    server: OpenAiServer, page: PageSource, kind: str, value: object, words: str
) -> None:
    server.fail_always(kind, value)
    error = failure(make(server.base_url), page)
    assert isinstance(error, TeacherUnavailableError)
    assert words in error.message


def test_a_wrong_key_stops_a_batch_with_one_sentence(page: PageSource) -> None:
    with OpenAiServer(key="another") as server:
        summary, results = batch(make(server.base_url), [page] * 100)
        assert len(server.requests) <= 6
    assert results == []
    assert "refused the API key" in summary.stopped_by.message
    assert summary.untouched == 100


def test_busy_servers_are_asked_again_after_the_time_they_name(
    server: OpenAiServer, page: PageSource
) -> None:
    server.fail_next("status", 429, times=2, retry_after="0.3")
    result = draft(make(server.base_url, **{"request.max_retries": 3}), page)
    assert result.text
    first, second, third = (request.at for request in server.requests)
    assert second - first >= 0.3
    assert third - second >= 0.3


def test_a_broken_connection_is_tried_again(server: OpenAiServer, page: PageSource) -> None:
    server.fail_next("disconnect")
    assert draft(make(server.base_url, **{"request.max_retries": 1}), page).text
    assert len(server.requests) == 2


def test_one_bad_page_never_stops_the_others(server: OpenAiServer, page: PageSource) -> None:
    server.fail_next("refuse_request", "The picture is broken.")
    summary, results = batch(make(server.base_url), [page] * 20)
    assert (summary.done, summary.failed, summary.stopped_by) == (19, 1, None)
    assert [result.error is None for result in results].count(False) == 1


def test_no_more_requests_at_once_than_allowed(page: PageSource) -> None:
    with OpenAiServer(latency=0.02) as server:
        summary, _ = batch(make(server.base_url, **{"request.concurrent_requests": 3}), [page] * 15)
        assert server.most_at_once == 3
    assert summary.done == 15


def test_the_key_is_in_no_message_parameter_log_or_repr(
    page: PageSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with OpenAiServer(key=KEY) as server:
        teacher = make(server.base_url)
        result = draft(teacher, page)
        server.fail_next("refuse_request", f"You sent {KEY} as key.")
        refused = failure(make(server.base_url), page)
        server.key = "another"
        wrong = failure(make(server.base_url), page)
    texts = [repr(teacher), repr(result), repr(teacher.__dict__), str(refused), str(wrong), caplog.text]
    assert all(KEY not in text for text in texts)
    assert refused.__cause__ is None
    assert refused.__suppress_context__
    assert "***" in refused.message
