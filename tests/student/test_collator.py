"""Examples become batches: what is learnt, what is masked, what is padded."""

import pickle
from dataclasses import replace

import pytest
import torch
from PIL import Image

from ocrstudio.datasets import Turn
from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.student.collator import Collator
from ocrstudio.student.examples import Example, Length, LengthStatistics
from ocrstudio.student.loading import load_processor, load_student
from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.tokenizer import EOS
from ocrstudio.student.trainer import BATCH_COUNTS
from tests.student.small_run import PROMPT, draw


@pytest.fixture(scope="module")
def collator():
    return Collator(load_processor("micro", ImagePreset(64, 64, True, 4)))


def page(path, answer="blue paper", size=(60, 40)) -> Example:
    return Example(PROMPT, answer, draw(path, answer, size), path.name, 1)


def learnt(collator, batch, row=0) -> str:
    labels = [label for label in batch["labels"][row].tolist() if label != IGNORE_INDEX]
    return collator.processor.tokenizer.backend.decode(labels)


def test_only_the_answer_and_its_end_are_learnt(collator, tmp_path):
    batch = collator([page(tmp_path / "a.png")])
    assert learnt(collator, batch) == f"blue paper{EOS}"
    kept = batch["labels"] != IGNORE_INDEX
    assert torch.equal(batch["labels"][kept], batch["input_ids"][kept])
    assert batch["input_ids"][0, 0] == collator.processor.tokenizer.bos_id


def test_text_alone_and_pages_of_any_tiling_share_a_batch(collator, tmp_path):
    examples = [
        Example("Say it.", "winter", None, "text", 1),
        page(tmp_path / "small.png"),
        page(tmp_path / "tall.png", "north", (64, 128)),
    ]
    batch = collator(examples)
    assert batch["tile_grids"] == [(1, 1), (1, 2)]
    assert batch["pixel_values_global"].shape == (2, 3, 64, 64)
    assert batch["pixel_values_tiles"].shape == (2, 3, 64, 64)
    assert batch["page_count"] == 2
    assert batch["token_count"] == int(batch["attention_mask"].sum())
    assert batch["attention_mask"][0].tolist() == sorted(batch["attention_mask"][0].tolist(), reverse=True)
    assert learnt(collator, batch, 0).startswith("winter")


def test_a_batch_without_tiles_holds_none(collator, tmp_path):
    assert "pixel_values_tiles" not in collator([page(tmp_path / "a.png")])


def conversation(tmp_path) -> Example:
    return Example(
        "<image> and <image>\nSame?",
        "no winter",
        draw(tmp_path / "a.png", "north", (60, 40)),
        "a.png",
        1,
        more_images=(
            draw(tmp_path / "b.png", "south", (64, 128)),
            draw(tmp_path / "c.png", "west", (60, 40)),
        ),
        more_turns=(Turn("Why?", "blue paper"), Turn("And <image>?", "old bank")),
    )


def test_of_several_turns_every_answer_is_learnt_and_nothing_else(collator, tmp_path):
    example = conversation(tmp_path)
    batch = collator([example, page(tmp_path / "one.png")])
    assert learnt(collator, batch) == f"no winter{EOS}blue paper{EOS}old bank{EOS}"
    tokenizer = collator.processor.tokenizer
    masked = [
        token
        for token, label in zip(batch["input_ids"][0].tolist(), batch["labels"][0].tolist(), strict=True)
        if label == IGNORE_INDEX and token not in (tokenizer.image_id, tokenizer.pad_id)
    ]
    asked = tokenizer.backend.decode(masked)
    assert [asked.count(text) for text in ("Same?", "Why?", "And ", "winter", EOS)] == [1, 1, 1, 0, 0]
    assert batch["tile_grids"] == [(1, 1), (1, 2), (1, 1), (1, 1)]
    assert batch["page_count"] == 4
    length = collator.measure(example)
    assert length.total == len(collator.encode(example).input_ids)
    assert length.answer == sum(label != IGNORE_INDEX for label in collator.encode(example).labels)
    assert length.image == batch["placeholder_counts"][0]


def test_the_loss_of_several_turns_is_that_of_their_answers(collator, tmp_path):
    student = load_student("micro", collator.processor.image).model.eval()
    batch = collator([conversation(tmp_path)])
    inputs = {name: batch[name] for name in batch if name not in BATCH_COUNTS}
    with torch.no_grad():
        loss = student(**inputs).loss
        logits = student(**{name: value for name, value in inputs.items() if name != "labels"}).logits[0]
    ids = batch["input_ids"][0]
    nll = torch.nn.functional.cross_entropy(logits[:-1].float(), ids[1:], reduction="none")
    spans = collator.encode(conversation(tmp_path)).answers
    assert len(spans) == 3
    assert loss.item() == pytest.approx(
        torch.cat([nll[a - 1 : b - 1] for a, b in spans]).mean().item(), rel=1e-5
    )
    changed = inputs | {"labels": torch.full_like(inputs["labels"], IGNORE_INDEX)}
    first = spans[0]
    changed["labels"][0, first[0] : first[1]] = ids[first[0] : first[1]]
    with torch.no_grad():
        assert student(**changed).loss.item() != pytest.approx(loss.item(), rel=1e-5), "the others count, too"


def test_image_tokens_in_an_answer_are_text(collator, tmp_path):
    batch = collator([page(tmp_path / "a.png", "write <image> here")])
    placeholders = (batch["input_ids"] == collator.processor.tokenizer.image_id).sum()
    assert placeholders == collator.measure(page(tmp_path / "a.png")).image
    assert "write <image> here" in learnt(collator, batch)


def test_measuring_equals_encoding(collator, tmp_path):
    for size in ((60, 40), (64, 128), (200, 70), (300, 300)):
        example = page(tmp_path / f"{size[0]}.png", "old bank", size)
        length = collator.measure(example)
        assert length.total == len(collator.encode(example).input_ids)
        assert length.answer == sum(label != IGNORE_INDEX for label in collator.encode(example).labels)


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png", "webp"])
def test_a_turned_photograph_is_measured_upright(collator, tmp_path, suffix):
    example = page(tmp_path / f"a.{suffix}", "north", (64, 200))
    picture = Image.open(example.image).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(example.image, exif=exif)
    assert collator.measure(example).total == len(collator.encode(example).input_ids)
    assert collator.encode(example).views[0].columns > collator.encode(example).views[0].rows


def test_a_broken_picture_is_named(collator, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    example = replace(page(tmp_path / "a.png"), image=path)
    with pytest.raises(InputError, match=r"broken\.png"):
        collator.measure(example)
    with pytest.raises(InputError, match=r"broken\.png"):
        collator([example])


def test_worker_processes_can_copy_the_collator(collator, tmp_path):
    copy = pickle.loads(pickle.dumps(collator))
    example = page(tmp_path / "a.png")
    assert torch.equal(copy([example])["input_ids"], collator([example])["input_ids"])


def test_statistics_name_the_extremes():
    statistics = LengthStatistics.of([Length(10, 2, n) for n in (1, 5, 9, 40)])
    assert (statistics.shortest, statistics.longest, statistics.answer_tokens) == (13, 52, 55)
    assert "4 samples of 13 to 52 tokens" in statistics.sentence()
