"""Decoding pages with the micro student."""

from itertools import pairwise

import pytest
import torch

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.paths import config_dir
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.student.generation import (
    RUNAWAY,
    TRUNCATED,
    GenerationStopped,
    Generator,
    PageRequest,
)
from ocrstudio.student.loading import load_student
from tests.student.small_run import PROMPT, draw

SHIPPED = load_teacher_config(config_dir() / "teacher_local.yaml").generation


@pytest.fixture(scope="module")
def student():
    return load_student("micro", ImagePreset(64, 64, True, 4))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Three pages of different tilings, and so of different prompt lengths."""
    folder = tmp_path_factory.mktemp("pages")
    sizes = {"plain": (60, 40), "tall": (64, 200), "wide": (250, 64)}
    return [PageRequest(draw(folder / f"{name}.png", name, size), PROMPT) for name, size in sizes.items()]


def generator(student, **settings) -> Generator:
    config = SHIPPED.model_copy(update={"max_tokens": 24, **settings})
    return Generator(student.model, student.processor, config)


def ids(student, answer) -> list[int]:
    return student.processor.tokenizer.encode(answer.text)


def test_a_batch_of_different_tilings_equals_single_pages(student, pages):
    together = generator(student).answer(pages)
    alone = [generator(student).answer([page])[0] for page in pages]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert [answer.prompt_tokens for answer in together] == [answer.prompt_tokens for answer in alone]
    assert len({answer.prompt_tokens for answer in together}) > 1
    assert len({answer.text for answer in together}) > 1


def test_greedy_decoding_is_repeatable(student, pages):
    first, second = (generator(student).answer(pages) for _ in range(2))
    assert [answer.text for answer in first] == [answer.text for answer in second]


def test_an_answer_at_its_budget_is_flagged(student, pages):
    answer = generator(student, max_tokens=5).answer(pages[:1])[0]
    assert answer.tokens == 5
    assert TRUNCATED in answer.flags
    assert "cut off after 5 tokens" in answer.remarks[0]


def test_no_ngram_returns_within_the_window(student, pages):
    tokens = 60
    settings = {"max_tokens": tokens, "no_repeat_ngram_size": 2, "no_repeat_ngram_window": tokens}
    rows = [generated_ids(student, page, **settings) for page in pages]
    for row in rows:
        pairs = list(pairwise(row))
        assert len(set(pairs)) == len(pairs)
    free = [generated_ids(student, page, max_tokens=tokens, no_repeat_ngram_size=0) for page in pages]
    repeated = [row for row in free if len(set(pairwise(row))) < len(row) - 1]
    assert repeated, (
        "without the rule the random student repeats itself; the test would prove nothing otherwise"
    )


def generated_ids(student, page, **settings) -> list[int]:
    """The ids themselves: decoding and encoding a random answer may join tokens."""
    seen = []
    decode = student.processor.tokenizer.decode

    class Spy:
        def __getattr__(self, name):
            return getattr(student.processor.tokenizer, name)

        def decode(self, tokens):
            seen.extend(tokens)
            return decode(tokens)

    decoder = generator(student, **settings)
    decoder._processor = type(student.processor)(Spy(), student.processor.image, student.processor.max_length)
    decoder.answer([page])
    return seen


def test_what_follows_the_end_token_is_not_read(student):
    tokenizer = student.processor.tokenizer
    words = tokenizer.encode("blue paper")
    answer = generator(student).read([*words, tokenizer.eos_id, tokenizer.pad_id, *words], 9, 0.5)
    assert answer.text == "blue paper"
    assert answer.tokens == len(words)
    assert answer.flags == ()


def test_an_answer_that_loops_is_flagged(student):
    tokenizer = student.processor.tokenizer
    looping = tokenizer.encode("the total amount of the order is due. " * 40)
    answer = generator(student).read(looping, 9, 0.5)
    assert answer.flags == (TRUNCATED, RUNAWAY)
    assert len(answer.remarks) == 2


def test_a_prompt_that_fills_the_context_is_refused(student, pages, monkeypatch):
    decoder = generator(student)
    monkeypatch.setattr(decoder, "_positions", 10)
    with pytest.raises(InputError, match="no room is left"):
        decoder.answer(pages[:1])


def test_the_context_limits_the_budget(student, pages):
    decoder = generator(student, max_tokens=4096)
    decoder._positions = 30
    assert decoder.budget(pages[:1], 20) == 10


def test_a_stop_request_ends_the_batch(student, pages):
    with pytest.raises(GenerationStopped):
        generator(student, max_tokens=200).answer(pages[:1], lambda: True)


def test_impossible_rules_are_refused(student):
    for size, window in ((1, 90), (30, 10)):
        with pytest.raises(InputError, match="no_repeat_ngram_size"):
            generator(student, no_repeat_ngram_size=size, no_repeat_ngram_window=window)


def test_a_temperature_samples(student, pages):
    torch.manual_seed(1)
    sampled = {generator(student, temperature=2.0).answer(pages[:1])[0].text for _ in range(3)}
    assert len(sampled) > 1


def test_a_prompt_without_picture_is_answered(student):
    answer = generator(student, max_tokens=3).answer([PageRequest(None, "Free OCR.")])[0]
    assert answer.tokens <= 3
