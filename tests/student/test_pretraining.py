"""The reader's training: its shortcuts equal the network, and its targets are where the text is."""

import random

import pytest
import torch

from ocrstudio.student.micro import fill_random, micro_folder
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import collate
from ocrstudio.student.pretraining.forward import ReaderStep, overviews, to_pixels
from ocrstudio.student.pretraining.heads import DenseHeads, tile_cells
from ocrstudio.student.pretraining.levels import LEVELS, Curriculum, Level
from ocrstudio.student.pretraining.pages import PROMPTS, Face, PageMaker
from ocrstudio.student.pretraining.targets import CHARACTERS
from ocrstudio.student.reader import READER_IMAGE, reader_config
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.synthesis.vocabulary import Vocabulary

WORDS = Vocabulary(
    ("red", "green", "blue", "house", "river", "mountain", "seven", "paper", "ink", "page", "line")
)
LEVEL = Level(60, ((1, 2),), {"words": 1.0}, headings=0.0, font_size=(28.0, 30.0), clean=1.0)


@pytest.fixture(scope="module")
def tokenizer():
    return OcrTokenizer(micro_folder())


@pytest.fixture(scope="module")
def pages(tokenizer):
    source = random.Random(2)
    maker = PageMaker(tokenizer, WORDS, [Face(None, None)])
    return [maker.make(source, LEVEL, (1, 2), PROMPTS[0]) for _ in range(2)]


def test_the_cells_of_a_page_spell_its_text(pages):
    for page in pages:
        rows = ["".join(CHARACTERS[c - 1] if c else "" for c in row) for row in page.cells.tolist()]
        spelled = _once(
            "".join(row for row, before in zip(rows, ["", *rows], strict=False) if row and row != before)
        )
        text = _once("".join(page.answer.split()))
        assert set(text) <= set(spelled) | {text[0]}
        assert spelled.startswith(text[:4])


def test_every_word_is_read_where_it_stands(pages, tokenizer):
    page = pages[0]
    placed = [(place, slot) for place, slot in zip(page.places, page.slots, strict=True) if place >= 0]
    blank = [tokenizer.backend.decode([token]).isspace() for token in page.ids]
    assert [place < 0 for place in page.places] == blank
    # A line goes from left to right: positions rise within a row of image tokens (7 with the newline).
    rows = [place // 7 for place, _ in placed]
    assert rows == sorted(rows)
    assert all(place % 7 < 6 and 0 <= slot < 32 for place, slot in placed)


def test_the_step_equals_the_network(pages, tokenizer):
    torch.manual_seed(0)
    model = DeepseekOcrForConditionalGeneration(reader_config()).eval()
    fill_random(model, 1)
    batch = collate(pages, (1, 2), 0, tokenizer)
    step = ReaderStep(model, DenseHeads(96, 320), views=8)
    with torch.no_grad():
        output = step(batch)
        tiles = batch.pixels.reshape(2, 2, 384, 1, 384).transpose(2, 3).reshape(-1, 384, 384)
        expected = model(
            input_ids=batch.ids,
            attention_mask=(batch.ids != tokenizer.pad_id).long(),
            labels=batch.labels,
            pixel_values_global=to_pixels(overviews(batch.pixels)),
            pixel_values_tiles=to_pixels(tiles),
            tile_grids=[(1, 2)] * 2,
        ).loss
    assert output.answer.item() == pytest.approx(expected.item(), abs=1e-4)
    assert set(output.dense) == {"patch", "token", "place", "slot", "first"}
    assert all(0 < value.item() < 20 for value in output.dense.values())


def test_a_written_page_is_what_the_processor_makes_of_its_picture(pages, tokenizer):
    from PIL import Image

    from ocrstudio.student.processor import OcrProcessor

    page = pages[0]
    picture = Image.fromarray(page.pixels).convert("RGB")
    sample = OcrProcessor(tokenizer, READER_IMAGE).encode([picture], f"<image>{page.prompt}", page.answer)
    batch = collate([page], (1, 2), 0, tokenizer)
    assert list(sample.input_ids) == batch.ids[0][: len(sample.input_ids)].tolist()
    difference = torch.from_numpy(sample.views[0].global_view) - to_pixels(overviews(batch.pixels))[0]
    # Pillow's weights are whole numbers: a grey level may fall to either side.
    assert difference.abs().max() * 127.5 < 2.5
    assert difference.abs().mean() * 127.5 < 0.1


def test_cells_follow_their_tiles():
    cells = torch.arange(48 * 96).reshape(1, 48, 96)
    tiles = tile_cells(cells, (2, 2))
    assert tiles.shape == (4, 24, 48)
    assert tiles[1, 0, 0] == 48
    assert tiles[2, 0, 0] == 24 * 96


def test_the_level_rises_by_accuracy_alone():
    curriculum = Curriculum()
    assert not any(curriculum.saw(0, 0.5) for _ in range(200))
    assert any(curriculum.saw(0, 1.0) for _ in range(100))
    assert curriculum.level == 1
    assert not curriculum.saw(0, 1.0)
    for _ in range(1000):
        curriculum.saw(curriculum.level, 1.0)
    assert curriculum.level == len(LEVELS) - 1


def _once(text):
    """Each character of a run once."""
    return "".join(c for c, before in zip(text, " " + text, strict=False) if c != before)
