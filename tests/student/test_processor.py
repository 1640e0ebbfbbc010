import numpy as np
import pytest
import torch
from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.student.micro import MICRO_IMAGE, build_micro
from ocrstudio.student.processor import SampleTooLongError

PROMPT = "<image>\nFree OCR."


@pytest.fixture(scope="module")
def processor():
    return build_micro()[1]


def _picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 100, 50))


def test_a_sequence_is_begin_placeholders_prompt_answer_end(processor):
    tokenizer = processor.tokenizer
    sample = processor.encode([_picture(100, 100)], PROMPT, "hello")

    count = 5 * 6 + 1
    prompt = tokenizer.encode("\nFree OCR.")
    answer = [*tokenizer.encode("hello"), tokenizer.eos_id]
    assert list(sample.input_ids) == [tokenizer.bos_id, *[tokenizer.image_id] * count, *prompt, *answer]
    assert sample.labels == [-100] * (1 + count + len(prompt)) + answer


def test_training_and_inference_ask_in_the_same_words(processor):
    training = processor.encode([_picture(300, 500)], PROMPT, "hello")
    inference = processor.encode([_picture(300, 500)], PROMPT)
    assert inference.input_ids == training.input_ids[: training.prompt_length]
    assert inference.prompt_length == len(inference.input_ids)


def test_blanks_at_the_ends_change_nothing(processor):
    tight = processor.encode([_picture(50, 50)], PROMPT, "hello")
    loose = processor.encode([_picture(50, 50)], f"{PROMPT} \n", " hello \n")
    assert tight.input_ids == loose.input_ids


def test_a_tiled_picture_takes_the_positions_of_its_grid(processor):
    sample = processor.encode([_picture(400, 600)], PROMPT)
    view = sample.views[0]
    assert (view.columns, view.rows) == (2, 3)
    placeholders = sample.input_ids.count(processor.tokenizer.image_id)
    assert placeholders == (3 * 2 + 1) * 3 * 3 + 5 * 6 + 1
    assert processor.measure([(400, 600)], PROMPT) == len(sample.input_ids)


def test_an_answer_may_speak_of_images(processor):
    sample = processor.encode([_picture(50, 50)], PROMPT, "the tag <image> is text")
    assert sample.input_ids.count(processor.tokenizer.image_id) == 31


@pytest.mark.parametrize(("pictures", "prompt"), [(0, PROMPT), (2, PROMPT), (1, "no mark")])
def test_pictures_and_marks_must_match(processor, pictures, prompt):
    with pytest.raises(InputError, match="mark"):
        processor.encode([_picture(10, 10)] * pictures, prompt)


def test_a_sample_that_is_too_long_is_reported_with_its_length():
    processor = build_micro(max_length=40)[1]
    with pytest.raises(SampleTooLongError) as raised:
        processor.encode([_picture(50, 50)], PROMPT, "a long answer " * 10)
    assert raised.value.limit == 40
    assert raised.value.length == processor.measure([(50, 50)], PROMPT, "a long answer " * 10) > 40


def test_a_batch_holds_samples_of_every_kind(processor):
    samples = [
        processor.encode([_picture(400, 600)], PROMPT, "tiled"),
        processor.encode([], "just text", "answer"),
        processor.encode([_picture(100, 100)], PROMPT, "one view"),
    ]
    batch = processor.collate(samples)
    length = max(len(sample.input_ids) for sample in samples)
    assert batch["input_ids"].shape == batch["labels"].shape == (3, length)
    assert batch["attention_mask"].sum(dim=1).tolist() == [len(sample.input_ids) for sample in samples]
    assert batch["pixel_values_global"].shape == (2, 3, 320, 320)
    assert batch["pixel_values_tiles"].shape == (6, 3, 192, 192)
    assert batch["tile_grids"].tolist() == [[2, 3], [1, 1]]
    assert batch["labels"][1, -1] == -100
    assert batch["input_ids"][1, -1] == processor.tokenizer.pad_id


def test_text_and_untiled_batches_carry_no_empty_pictures(processor):
    text = processor.collate([processor.encode([], "just text")], with_labels=False)
    assert text.keys() == {"input_ids", "attention_mask"}
    untiled = processor.collate([processor.encode([_picture(100, 100)], PROMPT)])
    assert "pixel_values_tiles" not in untiled


def test_padding_goes_to_the_side_that_is_asked_for(processor):
    samples = [processor.encode([], "a longer text of several words"), processor.encode([], "text")]
    left = processor.collate(samples, padding_side="left")
    assert left["attention_mask"][1, 0] == 0
    assert left["input_ids"][1, -1] == samples[1].input_ids[-1]
    assert left["labels"].shape == left["input_ids"].shape


def test_pixels_have_the_type_that_is_asked_for():
    processor = build_micro()[1]
    processor.pixel_dtype = torch.bfloat16
    batch = processor.collate([processor.encode([_picture(400, 600)], PROMPT)])
    assert batch["pixel_values_global"].dtype == batch["pixel_values_tiles"].dtype == torch.bfloat16


def test_pixels_reach_the_batch_unchanged(processor):
    noise = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    sample = processor.encode([Image.fromarray(noise)], PROMPT)
    batch = processor.collate([sample])
    assert np.array_equal(batch["pixel_values_global"][0].numpy(), sample.views[0].global_view)
    assert MICRO_IMAGE.base_size == 320
