"""Servers as they are: what they refuse is learnt once, and what no page can cure stops a batch at once."""

import asyncio
import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ocrstudio.domain.errors import TeacherError
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import TALK, UNFOUNDED, Draft, PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.batches import batch_of
from tests.fakes.openai_server import Fault, OpenAiServer

TASK = Task("markdown", "", "Convert this document to markdown.", False, "")


@pytest.fixture
def page(tmp_path: Path) -> PageSource:
    path = tmp_path / "page.png"
    Image.new("RGB", (1200, 1600), "white").save(path)
    return PageSource("scan.pdf, page 3", image=path)


@pytest.fixture(autouse=True)
def _no_key_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(autouse=True)
def _the_first_page_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy otherwise, a second is short."""
    monkeypatch.setattr("ocrstudio.teachers.api.pace.HEAD_START", 30.0)


def make(server: OpenAiServer, **overrides: object):
    values = {
        "type": "api",
        "api.base_url": server.base_url,
        "api.server": "openai",
        "model_type": "default",
        "request.max_retries": 3,
        "request.concurrent_requests": 16,
        **overrides,
    }
    return create_teacher(load_teacher_config(None, values))


def batch(teacher, pages: list[PageSource]) -> tuple[BatchSummary, list[PageResult]]:
    return batch_of(teacher, pages, TASK)


def drafts(server: OpenAiServer, pages: list[PageSource], **overrides: object) -> list[Draft]:
    _, results = batch(make(server, **overrides), pages)
    assert [result.error for result in results] == [None] * len(pages)
    return [result.draft for result in results]


def refused(message: str, status: int = 400, **fields: Any) -> Fault:
    return Fault(
        "error", (status, {"error": {"message": message, "type": "invalid_request_error", **fields}})
    )


def knows_no(*names: str, words: str = "Unsupported parameter: '{}' is not supported with this model."):
    """A server that refuses parameters, the first of them that it sees."""

    def check(body: dict[str, Any]) -> Fault | None:
        found = next((name for name in names if name in body), None)
        return refused(words.format(found)) if found else None

    return check


# What the first page learns


def test_what_a_server_refuses_is_learnt_by_one_page_and_said_once(page: PageSource) -> None:
    words = (
        "Unsupported value: '{}' does not support 0.0 with this model. Only the default (1) value is taken."
    )
    with OpenAiServer(check=knows_no("temperature", words=words)) as server:
        found = drafts(server, [page] * 20)
        assert len(server.requests) == 21
        assert [request.body.get("temperature") for request in server.requests] == [0.0] + [None] * 20
    remarks = [remark for draft in found for remark in draft.remarks]
    assert len(remarks) == 1
    assert "refused temperature, so it is left out" in remarks[0]
    assert "Only the default (1) value" in remarks[0]
    assert found[3].parameters["temperature"] is None
    assert found[3].parameters["left_out"] == ["temperature"]


def test_pages_that_are_refused_at_the_same_time_learn_it_together(page: PageSource, monkeypatch) -> None:
    monkeypatch.setattr("ocrstudio.teachers.api.pace.HEAD_START", 0.0)
    with OpenAiServer(check=knows_no("temperature"), latency=0.05) as server:
        found = drafts(server, [page] * 20)
        assert len(server.requests) <= 20 + 16
    assert sum(len(draft.remarks) for draft in found) == 1


@pytest.mark.parametrize(("chosen", "known"), [("openai", "max_tokens"), ("vllm", "max_completion_tokens")])
def test_the_longest_answer_is_sent_under_the_name_that_the_server_knows(page, chosen, known) -> None:
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[known]
    words = "Unsupported parameter: '{}' is not supported with this model. Use '" + known + "' instead."
    with OpenAiServer(check=knows_no(other, words=words)) as server:
        found = drafts(server, [page] * 3, **{"api.server": chosen})
        assert [(known in r.body, other in r.body) for r in server.requests] == [(False, True)] + [
            (True, False)
        ] * 3
    assert found[0].parameters["max_tokens"] == 4096


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Unsupported value.", "param": "vllm_xargs", "code": "unsupported_value"}},
        {"error": {"message": "Unrecognized request argument supplied: vllm_xargs"}},
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "vllm_xargs"], "msg": "Extra inputs", "input": {}}
            ]
        },
        {"object": "error", "message": {"detail": [{"loc": ["body", "vllm_xargs"], "msg": "Extra inputs"}]}},
        [{"error": {"code": 400, "message": 'Unknown name "vllm_xargs": Cannot find field.'}}],
        {
            "error": {
                "message": "Provider error",
                "metadata": {"raw": '{"error":{"message":"vllm_xargs: not permitted"}}'},
            }
        },
    ],
)
def test_every_providers_way_to_refuse_a_parameter_is_understood(page: PageSource, body: Any) -> None:
    def check(sent: dict[str, Any]) -> Fault | None:
        return Fault("error", (422 if "detail" in body else 400, body)) if "vllm_xargs" in sent else None

    with OpenAiServer(check=check) as server:
        draft = drafts(server, [page], **{"api.server": "vllm"})[0]
        assert len(server.requests) == 2
        assert "skip_special_tokens" in server.requests[1].body
    assert draft.parameters["left_out"] == ["vllm_xargs"]


def test_empty_settings_are_not_sent(page: PageSource) -> None:
    with OpenAiServer() as server:
        drafts(
            server,
            [page],
            **{
                "api.server": "vllm",
                "generation.temperature": None,
                "generation.max_tokens": None,
                "generation.extra_body": {"vllm_xargs": None, "seed": 7},
            },
        )
        assert server.requests[0].body.keys() == {"model", "messages", "skip_special_tokens", "seed"}


def test_a_refusal_that_names_no_parameter_is_not_tried_again(page: PageSource) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (400, {"error": {"message": "The picture is broken."}}))
        summary, results = batch(make(server), [page])
        assert len(server.requests) == 1
    assert "refused the request: The picture is broken." in results[0].error.message
    assert summary.failed == 1


def test_a_first_page_that_is_slow_does_not_hold_up_the_others(page: PageSource, monkeypatch) -> None:
    monkeypatch.setattr("ocrstudio.teachers.api.pace.HEAD_START", 0.05)
    with OpenAiServer(latency=0.4) as server:
        drafts(server, [page] * 4)
        begun = [request.at for request in server.requests]
    assert begun[1] - begun[0] < 0.35
    assert begun[-1] - begun[1] < 0.2


# Pictures


def side_of(body: dict[str, Any]) -> tuple[int, str]:
    url = body["messages"][-1]["content"][0]["image_url"]["url"]
    with Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2]))) as picture:
        return max(picture.size), str(picture.format)


@pytest.mark.parametrize(
    ("words", "status", "limit", "sent"),
    [
        (
            "At least one of the image dimensions exceed max allowed size: 1500 pixels",
            400,
            1500,
            (1500, "PNG"),
        ),
        ("Image is too large.", 400, 1200, (1120, "PNG")),
        ("messages.0.content.0.image: image exceeds 5 MB maximum: 6291456 bytes", 400, None, (1600, "JPEG")),
        ("", 413, None, (1600, "JPEG")),
    ],
)
def test_pictures_are_sent_as_the_server_takes_them(page, words, status, limit, sent) -> None:
    def check(body: dict[str, Any]) -> Fault | None:
        side, kind = side_of(body)
        too_large = side > limit if limit else kind == "PNG"
        return refused(words, status) if too_large else None

    with OpenAiServer(check=check) as server:
        found = drafts(server, [page] * 4)
        assert len(server.requests) == 5
        assert side_of(server.requests[-1].body) == sent
    assert [len(draft.remarks) for draft in found] == [1, 0, 0, 0]
    assert "refused a picture of 1,200 by 1,600 pixels" in found[0].remarks[0]


def test_a_picture_that_is_never_taken_fails_its_page_only(page: PageSource, tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    Image.new("RGB", (1200, 1600), "black").save(odd)

    def check(body: dict[str, Any]) -> Fault | None:
        url = body["messages"][-1]["content"][0]["image_url"]["url"]
        with Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2]))) as picture:
            is_odd = picture.convert("L").getpixel((5, 5)) == 0
        return refused("Image is too large.") if is_odd else None

    with OpenAiServer(check=check) as server:
        teacher = make(server)

        async def one_after_the_other() -> None:
            await teacher.open()
            try:
                with pytest.raises(TeacherError, match=r"odd\.pdf, page 1: the picture is too large"):
                    await teacher.draft(PageSource("odd.pdf, page 1", image=odd), TASK)
                await teacher.draft(page, TASK)
            finally:
                await teacher.close()

        asyncio.run(one_after_the_other())
        assert [side_of(request.body)[0] for request in server.requests] == [1600, 1120, 784, 1600]


# What no page can cure

GEMINI_KEY = [
    {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
        }
    }
]
QUOTA = {
    "error": {
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (429, QUOTA, "You exceeded your current quota"),
        (429, {"error": {"message": "Quota exceeded: requests per day. Try again in 7m12s."}}, "per day"),
        (402, {"error": {"message": "Insufficient Balance"}}, "Insufficient Balance"),
        (
            400,
            {"error": {"message": "Your credit balance is too low to access the API."}},
            "credit balance is too low",
        ),
        (
            401,
            {"error": {"message": "Incorrect API key provided."}},
            "refused the API key (status 401): Incorrect",
        ),
        (403, {"error": {"message": "Your region is not served."}}, "Your region is not served"),
        (400, GEMINI_KEY, "API key not valid"),
        (404, {"error": {"message": "model 'x' not found, try pulling it first"}}, "does not know the model"),
        (400, {"error": {"message": "x is not a valid model ID"}}, "does not know the model"),
        (
            404,
            "<html><head><title>404 Not Found</title></head></html>",
            "is not the address of a model server's API",
        ),
        (405, {"detail": "Method Not Allowed"}, "is not the address of a model server's API"),
        (
            200,
            "<!DOCTYPE html><html><title>Open WebUI</title></html>",
            "is not the address of a model server's API",
        ),
        (404, {"error": {"message": "No endpoints found that support image input"}}, "takes no pictures"),
        (500, {"error": {"message": "image input is not supported - hint: mmproj"}}, "takes no pictures"),
        (
            400,
            {"error": {"message": "max_tokens is too large: 4096. The model supports at most 2048."}},
            "so many tokens",
        ),
        (200, {"error": {"message": "Insufficient credits", "code": 402}}, "Insufficient credits"),
    ],
)
def test_what_no_page_can_cure_stops_a_batch_at_its_first_request(page, status, body, words) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (status, body))
        summary, results = batch(make(server), [page] * 12)
        assert len(server.requests) == 1
    assert results == []
    assert summary.untouched == 12
    assert words in summary.stopped_by.message
    assert "concurrent_requests" not in summary.stopped_by.hint


def test_quota_that_ends_within_a_batch_leaves_the_rest_as_it_was(page: PageSource) -> None:
    with OpenAiServer(latency=0.01) as server:

        def check(_: dict[str, Any]) -> Fault | None:
            return Fault("error", (429, QUOTA)) if len(server.requests) > 10 else None

        server.check = check
        summary, results = batch(make(server, **{"request.concurrent_requests": 4}), [page] * 40)
        assert len(server.requests) <= 10 + 4
    assert summary.failed == 0
    assert summary.done == len(results)
    assert summary.done + summary.untouched == 40
    assert "exceeded your current quota" in summary.stopped_by.message


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"error": {"message": "Rate limit reached. Please try again in 0.3s. See your billing page."}}, {}),
        ({"error": {"message": "Quota exceeded for metric: x, check your plan and billing.",
                    "details": [{"retryDelay": "0.3s"}]}}, {}),
        ({"error": {"message": "Slow down."}}, {"retry_after": "0.3"}),
        ({"error": {"message": "Slow down."}}, {"retry_after_ms": "300"}),
    ],
)  # fmt: skip
def test_a_rate_limit_is_waited_for_by_all_pages_of_the_batch(page: PageSource, body: Any, headers) -> None:
    with OpenAiServer() as server:
        server.fail_next("error", (429, body), **headers)
        summary, _ = batch(make(server), [page] * 6)
        begun = [request.at for request in server.requests]
        assert len(begun) == 7
    assert summary.done == 6
    assert min(begun[1:]) - begun[0] >= 0.3


def test_a_rate_limit_that_lets_some_pages_through_fails_none(page: PageSource) -> None:
    """Two requests in each 0.2 s, six at once, and no page may be asked for again more than once."""
    with OpenAiServer() as server:

        def check(_: dict[str, Any]) -> Fault | None:
            now = server.requests[-1].at
            recent = [at for at in taken if now - at < 0.2]
            if len(recent) >= 2:
                return Fault("error", (429, {"error": {"message": "Slow down."}}), {"retry-after": "0.2"})
            taken.append(now)
            return None

        taken: list[float] = []
        server.check = check
        teacher = make(server, **{"request.concurrent_requests": 6, "request.max_retries": 1})
        summary, _ = batch(teacher, [page] * 14)
    assert (summary.done, summary.failed, summary.stopped_by) == (14, 0, None)


def test_a_wait_that_is_too_long_stops_the_batch_with_its_length(page: PageSource) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (429, {"error": {"message": "Come back later."}}), retry_after="12000")
        summary, _ = batch(make(server), [page] * 5)
        assert len(server.requests) == 1
    assert "asks to wait 3 h 20 min" in summary.stopped_by.message
    assert "Come back later." in summary.stopped_by.message


def test_a_server_that_lets_nobody_in_ends_the_batch(page: PageSource) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (429, {"error": {"message": "Too busy."}}))
        teacher = make(server, **{"request.max_retries": 0, "request.concurrent_requests": 1})
        summary, _ = batch(teacher, [page] * 50)
        assert len(server.requests) == 3
    assert "takes no requests now" in summary.stopped_by.message
    assert (summary.failed, summary.untouched) == (0, 50)


def test_the_same_refusal_of_the_first_pages_is_that_of_all(page: PageSource) -> None:
    with OpenAiServer() as server:
        server.fail_always("error", (400, {"error": {"message": "Only role user is allowed."}}))
        summary, _ = batch(make(server, **{"request.concurrent_requests": 1}), [page] * 50)
        assert len(server.requests) == 5
    assert "refused the first 5 pages in the same way" in summary.stopped_by.message
    assert "Only role user is allowed." in summary.stopped_by.message
    assert (summary.failed, summary.untouched) == (4, 46)


def test_a_page_that_a_filter_refuses_is_a_page_that_failed(page: PageSource) -> None:
    with OpenAiServer() as server:
        server.fail_next("error", (403, {"error": {"message": "Your input was flagged by moderation."}}))
        summary, _ = batch(make(server), [page] * 3)
    assert (summary.done, summary.failed, summary.stopped_by) == (2, 1, None)


# Answers


def answered(page: PageSource, message: dict[str, Any], finish_reason: str = "stop", **overrides: object):
    with OpenAiServer() as server:
        choice = {"message": {"role": "assistant", **message}, "finish_reason": finish_reason}
        server.fail_always("choice", choice)
        summary, results = batch(make(server, **overrides), [page])
        assert summary.stopped_by is None
        return results[0].draft or results[0].error


@pytest.mark.parametrize(
    "content",
    [
        "<think>\nA page with a title.\n</think>\n\n# Title",
        "A page with a title.\n</think>\n\n# Title",
        "[THINK]Hm.[/THINK]# Title",
        "<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|># Title<|return|>",
    ],
)
def test_thoughts_are_taken_off_and_kept_in_the_raw_output(page: PageSource, content: str) -> None:
    draft = answered(page, {"content": content})
    assert (draft.text, draft.raw, draft.flags) == ("# Title", content, ())
    assert len([remark for remark in draft.remarks if "thinks before it answers" in remark]) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"content": "# Title", "reasoning_content": "A page."},
        {"content": "# Title", "reasoning": "A page."},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "A page."}]},
                     {"type": "text", "text": "# Title"}]},
    ],
)  # fmt: skip
def test_thoughts_in_fields_of_their_own_are_kept_in_the_raw_output(page: PageSource, message: Any) -> None:
    draft = answered(page, message)
    assert draft.text == "# Title"
    assert draft.raw == "<think>\nA page.\n</think>\n\n# Title"


@pytest.mark.parametrize(
    "message", [{"content": "<think>A page wi"}, {"content": "", "reasoning": "A page wi"}]
)
def test_an_answer_that_ends_within_its_thoughts_is_no_label(page: PageSource, message: Any) -> None:
    error = answered(page, message, "length")
    assert "wrote its thoughts and nothing of the page, because the answer was cut off" in error.message
    assert "generation.max_tokens" in error.hint


def test_the_mark_of_thoughts_on_a_page_is_part_of_it(page: PageSource) -> None:
    text = "# Reasoning models\n\nThey write `<think>` and `</think>` around their thoughts."
    assert answered(page, {"content": text}).text == text


def test_a_mark_that_only_one_page_has_is_flagged(page: PageSource) -> None:
    answers = iter(["# One", "# Two", "The text ends with </think> here"])
    with OpenAiServer(lambda _: next(answers)) as server:
        found = drafts(server, [page] * 3, **{"request.concurrent_requests": 1})
    assert sorted(draft.flags for draft in found) == [(), (), (TALK,)]


@pytest.mark.parametrize(
    ("content", "text", "flags"),
    [
        ("```markdown\n# Title\n\nText.\n```", "# Title\n\nText.", ()),
        ("Here is the page:\n\n```markdown\n# Title\n```\n\nLet me know if you need more!", "# Title", ()),
        ("以下のとおり:\n\n```md\n# Title\n\nMuch more of it.\n```", "# Title\n\nMuch more of it.", (TALK,)),
        ("```markdown\n# A\n\n```python\nx\n```\n\nEnd.\n```", "# A\n\n```python\nx\n```\n\nEnd.", ()),
        ("```markdown\n# A\n```\n\n```markdown\n# B\n```", "# A\n\n# B", ()),
        ("```\n# Title\n\nText.\n```", "# Title\n\nText.", (TALK,)),
        ("```\nx = 1\ny = 2\n```", "```\nx = 1\ny = 2\n```", ()),
        ("```python\nx = 1\n```", "```python\nx = 1\n```", ()),
        ("Sure! Here is the transcription of the page:\n\n# Title\n\nText.", "# Title\n\nText.", ()),
        ("Here's the text in the image:\n\n1. One\n2. Two", "1. One\n2. Two", ()),
        ("Here are our terms:\n\n1. One\n2. Two", "Here are our terms:\n\n1. One\n2. Two", (TALK,)),
        ("# Fences\n\nWrite:\n\n```markdown\n# Title\n```\n\nThat makes a heading.",
         "# Fences\n\nWrite:\n\n```markdown\n# Title\n```\n\nThat makes a heading.", ()),
        ("Dear Ann,\n\nthank you.\n\nLet me know if you need more.",
         "Dear Ann,\n\nthank you.\n\nLet me know if you need more.", ()),
    ],
)  # fmt: skip
def test_fences_and_talk_around_the_page_are_taken_off(page, content, text, flags) -> None:
    draft = answered(page, {"content": content})
    # The page is white: a text of some length is flagged for that by the check that every draft goes through.
    assert (draft.text, tuple(flag for flag in draft.flags if flag != UNFOUNDED)) == (text, flags)
    assert draft.raw == content


# What a server is told about this computer


def test_a_server_is_told_nothing_about_this_computer(page: PageSource, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-account")
    with OpenAiServer() as server:
        drafts(server, [page], **{"api.api_key": "sk-of-this-server"})
        headers = server.requests[0].headers
    assert [name for name in headers if name.startswith("x-stainless")] == []
    assert headers["user-agent"].startswith("ocrstudio/")
    assert "python" not in json.dumps(headers).lower()
    assert "openai-organization" not in headers


def test_the_account_of_the_environment_goes_with_the_key_of_the_environment(page, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    with OpenAiServer() as server:
        drafts(server, [page])
        assert server.requests[0].headers["openai-organization"] == "org-1"
