"""How much text a page shows: pages drawn by MuPDF, so that the truth is known."""

import numpy as np
import pymupdf
import pytest
from PIL import Image

from ocrstudio.imaging.ink import measure_ink

PROSE = "The harbour office keeps a ledger of every vessel, its master and the cargo that it declared. " * 12
LETTERS = sum(not character.isspace() for character in PROSE)


def page(draw, width=595, height=842, rotate=0, dpi=110):
    with pymupdf.open() as document:
        sheet = document.new_page(width=width, height=height)
        draw(sheet)
        pixmap = sheet.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    return np.rot90(pixels, rotate).copy()


def prose(sheet, size=11, box=(60, 80, 535, 760), color=(0, 0, 0)):
    assert sheet.insert_textbox(box, PROSE, fontsize=size, color=color) > 0


def about(characters):
    return pytest.approx(characters, rel=0.25)


@pytest.mark.parametrize("rotate", [0, 1, 2, 3])
def test_letters_are_counted_however_the_page_lies(rotate):
    assert measure_ink(page(prose, rotate=rotate)).characters == about(LETTERS)


def test_half_of_a_page_is_half_of_the_letters():
    whole, half = page(prose), page(prose)
    rows = np.flatnonzero(half.min(axis=1) < 128)
    half[(rows[0] + rows[-1]) // 2 :] = 255
    assert measure_ink(half).characters == about(measure_ink(whole).characters / 2)


def test_small_print_light_print_and_print_on_dark_ground_count():
    def on_dark(sheet):
        sheet.draw_rect(sheet.rect, fill=(0.1, 0.1, 0.3))
        prose(sheet, color=(1, 1, 1))

    assert measure_ink(page(lambda sheet: prose(sheet, size=8))).characters == about(LETTERS)
    assert measure_ink(page(lambda sheet: prose(sheet, color=(0.6, 0.6, 0.6)))).characters == about(LETTERS)
    assert measure_ink(page(on_dark)).characters == about(LETTERS)


def test_rules_boxes_and_shading_are_no_letters():
    def table(sheet):
        for row in range(12):
            sheet.draw_line((60, 400 + 24 * row), (530, 400 + 24 * row))
            if row % 2:
                sheet.draw_rect((60, 400 + 24 * row, 530, 424 + 24 * row), fill=(0.8, 0.85, 0.9), width=0)
        for column in range(5):
            sheet.draw_line((60 + 117 * column, 400), (60 + 117 * column, 664))

    ink = measure_ink(page(table))
    assert ink.characters < 10
    assert not ink.is_blank


def test_a_photograph_has_few_letters():
    noise = np.random.default_rng(1).normal(0, 1, (24, 20))
    smooth = Image.fromarray((np.clip(noise * 50 + 128, 0, 255)).astype(np.uint8))
    picture = np.full((1200, 900), 255, np.uint8)
    picture[100:900, 100:800] = np.asarray(smooth.resize((700, 800), Image.Resampling.BICUBIC))
    assert measure_ink(picture).characters < 40


def test_dust_leaves_a_page_blank_and_a_page_number_does_not():
    paper = np.full((1286, 909), 250, np.uint8)
    assert measure_ink(paper).is_blank
    dusty = paper.copy()
    for x, y in np.random.default_rng(2).integers(50, 850, (40, 2)):
        dusty[y : y + 2, x : x + 2] = 60
    assert measure_ink(dusty).is_blank
    number = measure_ink(page(lambda sheet: sheet.insert_text((290, 810), "17", fontsize=9)))
    assert not number.is_blank
    assert 1 <= number.characters < 5


def test_very_small_pictures_are_measured_too():
    assert measure_ink(np.full((1, 1), 255, np.uint8)).is_blank
    assert measure_ink(np.full((3, 2), 255, np.uint8)).is_blank
