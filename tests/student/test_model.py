import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.student.library import disable_checkpointing, enable_checkpointing
from ocrstudio.student.micro import build_micro
from ocrstudio.student.modeling import loss as loss_module
from ocrstudio.student.modeling.assembly import stitch
from ocrstudio.student.modeling.sam import attend_biased, attend_folded

PROMPT = "<image>\nFree OCR."
SIZES = ((400, 600), None, (100, 100), (700, 300))  # 2 x 3 tiles, no picture, one view, 2 x 1 tiles
ANSWERS = ("tiled page of six", "an answer without a picture", "small", "wide page, other tiling")


@pytest.fixture(scope="module")
def student():
    return build_micro()


@pytest.fixture
def model(student):
    student[0].zero_grad(set_to_none=True)
    return student[0]


@pytest.fixture(scope="module")
def processor(student):
    return student[1]


def _picture(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(width * height).integers(
        0, 256, (height // 10, width // 10, 3), dtype=np.uint8
    )
    return Image.fromarray(noise).resize((width, height))


@pytest.fixture(scope="module")
def samples(processor):
    return [
        processor.encode([], "Say something.", answer)
        if size is None
        else processor.encode([_picture(*size)], PROMPT, answer)
        for size, answer in zip(SIZES, ANSWERS, strict=True)
    ]


def _gradients(model) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
@torch.no_grad()
def test_a_mixed_batch_gives_what_each_sample_gives_alone(model, processor, samples, side, use_cache):
    batch = processor.collate(samples, padding_side=side, with_labels=False)
    together = model(**batch, use_cache=use_cache).logits
    for row, sample in enumerate(samples):
        alone = model(**processor.collate([sample], with_labels=False)).logits[0]
        kept = together[row][batch["attention_mask"][row].bool()]
        assert torch.allclose(kept, alone, atol=2e-4)


@pytest.mark.parametrize("side", ["left", "right"])
@torch.no_grad()
def test_the_loss_weighs_every_labelled_token_of_a_batch_the_same(model, processor, samples, side):
    together = model(**processor.collate(samples, padding_side=side)).loss
    counts = [len(sample.input_ids) - sample.prompt_length for sample in samples]
    alone = [model(**processor.collate([sample])).loss * n for sample, n in zip(samples, counts, strict=True)]
    assert together.item() == pytest.approx(sum(alone).item() / sum(counts), rel=1e-5)


@torch.no_grad()
def test_the_loss_is_the_mean_over_answer_positions(model, processor, samples):
    batch = processor.collate(samples[:1])
    output = model(**batch, logits_to_keep=0)
    expected = torch.nn.functional.cross_entropy(output.logits[0, :-1], batch["labels"][0, 1:])
    assert output.loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert model(**batch).logits is None


@torch.no_grad()
def test_accumulated_micro_batches_share_one_divisor(model, processor, samples):
    whole = model(**processor.collate(samples)).loss
    items = sum(len(sample.input_ids) - sample.prompt_length for sample in samples)
    parts = [
        model(**processor.collate([sample]), num_items_in_batch=torch.tensor(items)).loss
        for sample in samples
    ]
    assert sum(parts).item() == pytest.approx(whole.item(), rel=1e-5)


def test_chunks_of_the_loss_change_neither_value_nor_gradient(model, processor, samples, monkeypatch):
    batch = processor.collate(samples)
    whole = model(**batch).loss
    whole.backward()
    expected = _gradients(model)
    model.zero_grad(set_to_none=True)
    monkeypatch.setattr(loss_module, "LOSS_CHUNK", 7)
    chunked = model(**batch).loss
    chunked.backward()
    assert chunked.item() == pytest.approx(whole.item(), rel=1e-6)
    for name, gradient in _gradients(model).items():
        assert torch.allclose(gradient, expected[name], atol=1e-5, rtol=1e-3), name


def test_a_batch_without_labels_to_learn_has_a_loss_of_zero(model, processor, samples):
    batch = processor.collate(samples[:1])
    batch["labels"][:] = -100
    loss = model(**batch).loss
    loss.backward()
    assert loss.item() == 0


def test_gradients_reach_every_part(model, processor, samples):
    model(**processor.collate(samples)).loss.backward()
    untouched = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert untouched == ["model.vision_model.embeddings.patch_embedding.weight"]


def test_frozen_parts_cost_no_gradient_and_stop_none(model, processor, samples):
    model.model.language_model.requires_grad_(False)
    try:
        model(**processor.collate(samples)).loss.backward()
    finally:
        model.model.language_model.requires_grad_(True)
    reached = _gradients(model)
    assert not any("language_model" in name for name in reached)
    assert reached["model.sam_model.patch_embed.projection.weight"].any()
    assert reached["model.image_newline"].any()


def test_gradient_checkpointing_changes_no_gradient(model, processor, samples):
    batch = processor.collate(samples)
    model.train()
    model(**batch).loss.backward()
    expected = _gradients(model)
    model.zero_grad(set_to_none=True)
    enable_checkpointing(model, {"use_reentrant": False})
    try:
        model(**batch, use_cache=False).loss.backward()
    finally:
        disable_checkpointing(model)
        model.eval()
    found = _gradients(model)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert torch.allclose(gradient, expected[name], atol=1e-5, rtol=1e-3), name


@torch.no_grad()
def test_only_the_wanted_positions_get_logits(model, processor, samples):
    batch = processor.collate(samples[:1], with_labels=False)
    everything = model(**batch).logits
    assert torch.allclose(model(**batch, logits_to_keep=3).logits, everything[:, -3:], atol=1e-5)


@torch.no_grad()
def test_kept_image_features_stand_for_the_pictures(model, processor, samples):
    batch = processor.collate(samples, with_labels=False)
    pictures = {name: batch.pop(name) for name in ("pixel_values_global", "pixel_values_tiles", "tile_grids")}
    features = model.get_image_features(**pictures)
    assert [len(feature) for feature in features] == [94, 31, 31 + 3 * 7]
    assert torch.equal(model(**batch, **pictures).logits, model(**batch, image_features=features).logits)
    as_list = [tuple(grid) for grid in pictures.pop("tile_grids").tolist()]
    assert torch.equal(model.get_image_features(**pictures, tile_grids=as_list)[0], features[0])


@torch.no_grad()
def test_placeholders_that_do_not_fit_are_named(model, processor, samples):
    batch = processor.collate(samples, with_labels=False)
    batch["input_ids"][2, 1] = 7
    with pytest.raises(
        InputError, match=r"Sample 2 .* has 30 image placeholders, but its 1 image\(s\) take 31"
    ):
        model(**batch)


@torch.no_grad()
def test_pictures_without_placeholders_and_grids_that_do_not_fit_are_named(model, processor, samples):
    batch = processor.collate([samples[1]], with_labels=False)
    pictures = processor.collate([samples[0]], with_labels=False)
    extra = {name: pictures[name] for name in ("pixel_values_global", "pixel_values_tiles", "tile_grids")}
    with pytest.raises(InputError, match="holds 1 images, but its placeholders ask for 0"):
        model(**batch, **extra)
    placeholders_only = {name: pictures[name] for name in ("input_ids", "attention_mask")}
    with pytest.raises(InputError, match=r"has 94 image placeholders, but its 0 image\(s\) take 0"):
        model(**placeholders_only, use_cache=False)
    with pytest.raises(InputError, match=r"has 94 image placeholders, but its 0 image\(s\) take 0"):
        model.generate(**placeholders_only, max_new_tokens=1)
    with pytest.raises(InputError, match="1 pictures and 6 tiles"):
        model(**{**pictures, "tile_grids": torch.tensor([[2, 2]])})
    with pytest.raises(InputError, match="need tile_grids"):
        model(**{**pictures, "tile_grids": None})


@torch.no_grad()
def test_views_of_another_size_than_the_position_tables_are_taken(model):
    features = model.get_image_features(torch.zeros(1, 3, 512, 512), None, [(1, 1)])
    assert features[0].shape == (73, 192)


@torch.no_grad()
def test_generation_in_a_padded_batch_equals_generation_alone(model, processor):
    asked = [
        processor.encode([_picture(400, 600)], PROMPT),
        processor.encode([], "Say something."),
        processor.encode([_picture(100, 100)], PROMPT),
    ]
    settings = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": None}
    batch = processor.collate(asked, padding_side="left", with_labels=False)
    together = model.generate(**batch, **settings)[:, batch["input_ids"].shape[1] :]
    for row, sample in enumerate(asked):
        single = processor.collate([sample], padding_side="left", with_labels=False)
        alone = model.generate(**single, **settings)[0, single["input_ids"].shape[1] :]
        assert together[row].tolist() == alone.tolist()
    without_cache = model.generate(**batch, **settings, use_cache=False)[:, batch["input_ids"].shape[1] :]
    assert torch.equal(without_cache, together)


def test_several_answers_for_a_picture_are_refused(model, processor, samples):
    batch = processor.collate(samples[:1], with_labels=False)
    with pytest.raises(InputError, match="Several answers"):
        model.generate(**batch, num_beams=2, max_new_tokens=2)


@pytest.mark.parametrize("side", [7, 20])
def test_folding_the_bias_changes_no_attention(side):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, side * side, 16, generator=generator) for _ in range(3))
    rel_h, rel_w = (torch.randn(2, 3, side * side, side, generator=generator) for _ in range(2))
    expected = attend_biased(query, key, value, rel_h, rel_w)
    assert torch.allclose(attend_folded(query, key, value, rel_h, rel_w), expected, atol=1e-5)


def test_stitched_tiles_read_like_the_page():
    page = torch.arange(6 * 9).view(6, 9)  # 2 rows and 3 columns of tiles, 3 x 3 features each
    tiles = page.view(2, 3, 3, 3).transpose(1, 2).reshape(6, 3, 3, 1)
    assert torch.equal(stitch(tiles, columns=3, rows=2)[..., 0], page)


def test_the_micro_student_is_the_same_everywhere():
    first, _ = build_micro(seed=1)
    again, _ = build_micro(seed=1)
    other, _ = build_micro(seed=2)
    name = "model.language_model.layers.1.mlp.experts.gate_up_proj"
    assert torch.equal(first.get_parameter(name), again.get_parameter(name))
    assert not torch.equal(first.get_parameter(name), other.get_parameter(name))
    digest = hashlib.sha256(first.model.view_separator.detach().numpy().tobytes()).hexdigest()
    assert digest.startswith("694bbe8f89eb630a")
    assert 3_000_000 < sum(parameter.numel() for parameter in first.parameters()) < 5_000_000


def test_the_micro_student_learns_a_page_by_heart():
    model, processor = build_micro()
    batch = processor.collate([processor.encode([_picture(300, 200)], PROMPT, "# Hello\n\nA short page.")])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(15):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    model.eval()
    asked = processor.collate([processor.encode([_picture(300, 200)], PROMPT)], with_labels=False)
    output = model.generate(**asked, max_new_tokens=20, do_sample=False)
    assert (
        processor.tokenizer.decode(output[0, asked["input_ids"].shape[1] :].tolist())
        == "# Hello\n\nA short page."
    )
