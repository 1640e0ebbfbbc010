"""What is text of the page: what its picture shows, in the order in which it shows it, and nothing else."""

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from PIL import Image, ImageDraw

from ocrstudio.pdf.text_layer import TextLayer, read_text_layer
from tests.fakes.pdfs import A4, PROSE

Draw = Callable[[pymupdf.Page], None]


def read(folder: Path, draw: Draw, size: tuple[int, int] = A4) -> TextLayer:
    """The text layer of a page on which something was drawn."""
    path = folder / "page.pdf"
    with pymupdf.open() as document:
        draw(document.new_page(width=size[0], height=size[1]))
        document.save(path)
    return read_text_layer(path, 0)


def prose(page: pymupdf.Page) -> None:
    page.insert_textbox((60, 120, 535, 400), PROSE * 4, fontsize=11)


def flat(layer: TextLayer) -> str:
    return " ".join(layer.markdown.split())


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_rotated_page_with_a_crop_box_keeps_the_beginning_of_its_lines(
    tmp_path: Path, rotation: int
) -> None:
    def draw(page: pymupdf.Page) -> None:
        middle = pymupdf.Point(450, 400)
        turn = pymupdf.Matrix(rotation)  # so that the text is upright when the page is shown
        lines = (
            "Minutes of the council of the harbour",
            "The clerk read the report on the quay.",
            "Nobody spoke.",
        )
        for number, line in enumerate(lines):
            start = pymupdf.Point(310, 380 + 20 * number)
            page.insert_text(start, line, morph=(middle, turn))
        page.insert_text((20, 880), "CROPPED AWAY")
        page.set_cropbox((200, 250, 700, 550))
        page.set_rotation(rotation)

    layer = read(tmp_path, draw, (900, 900))
    assert flat(layer).startswith(
        ("Minutes of the council", "# Minutes of the council", "## Minutes of the council")
    )
    assert "The clerk read the report on the quay. Nobody spoke." in flat(layer)
    assert "CROPPED" not in layer.markdown
    assert layer.letters_found == layer.letters_kept


@pytest.mark.parametrize("angle", [90, 270])
def test_a_page_whose_text_runs_sideways_is_no_table(tmp_path: Path, angle: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        for number in range(12):
            start = (100 + 20 * number, 800) if angle == 90 else (500 - 20 * number, 60)
            page.insert_text(start, f"Line {number} of the ledger of the vessels in port.", rotate=angle)

    layer = read(tmp_path, draw)
    assert "|" not in layer.markdown
    assert "vessels in port. Line 1 of the ledger of the vessels in port. Line 2 of" in flat(layer)


def test_text_under_a_bar_is_not_text_of_the_page(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        page.insert_text((60, 500), "The master was called Bartholomew Unmentionable.")
        page.draw_rect((150, 485, 420, 506), fill=(0, 0, 0))

    layer = read(tmp_path, draw)
    assert layer.usable
    assert "Unmentionable" not in layer.markdown
    assert any("cannot be seen" in remark for remark in layer.remarks)


def test_text_on_a_coloured_ground_is_kept(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        page.draw_rect((40, 100, 560, 420), fill=(0.8, 0.9, 1))
        prose(page)
        page.draw_rect((60, 500, 300, 520), color=(1, 0, 0))
        page.draw_rect((40, 100, 560, 420), fill=(1, 1, 0), fill_opacity=0.2)

    layer = read(tmp_path, draw)
    assert layer.letters_kept == 4 * sum(map(str.isalnum, PROSE))


def test_transparent_text_is_the_guess_of_an_ocr_program(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        for number in range(6):
            page.draw_bezier((60, 100 + 30 * number), (200, 80), (300, 400), (500, 100 + 30 * number))
        page.insert_textbox((60, 120, 535, 400), "HQOCLM vvas wr1tten " * 8, fontsize=11, fill_opacity=0)

    layer = read(tmp_path, draw)
    assert not layer.usable
    assert "cannot be seen" in layer.reason


def test_a_printed_picture_with_a_few_words_over_it_is_read_by_ocr(tmp_path: Path) -> None:
    picture = Image.new("L", (900, 1200), 245)
    pen = ImageDraw.Draw(picture)
    for top in range(100, 900, 22):
        pen.text((90, top), PROSE, fill=20, font_size=18)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")

    def draw(page: pymupdf.Page) -> None:
        page.insert_image(page.rect, stream=buffer.getvalue())
        page.insert_text(
            (60, 780), "Received by the archive of the harbour office, to be kept for ten years."
        )

    layer = read(tmp_path, draw)
    assert not layer.usable
    assert "print of its own" in layer.reason


def test_what_is_filled_into_a_form_is_text_of_the_page(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        field = pymupdf.Widget()
        field.field_type, field.field_name = pymupdf.PDF_WIDGET_TYPE_TEXT, "master"
        field.field_value, field.rect = "Master Quillfeather", pymupdf.Rect(60, 440, 300, 460)
        page.add_widget(field)

    assert "Master Quillfeather" in read(tmp_path, draw).markdown


def test_letters_without_unicode_send_the_page_to_ocr(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        unknown = pymupdf.Font("cjk").buffer
        page.insert_font("unknown", fontbuffer=unknown)
        page.insert_text((60, 500), "14,918,000 and 6,853,000 and 15,787,000", fontname="unknown")
        document = page.parent
        for xref in range(1, document.xref_length()):
            if "ToUnicode" in document.xref_get_keys(xref):
                document.xref_set_key(xref, "ToUnicode", "null")

    layer = read(tmp_path, draw)
    assert not layer.usable
    assert "unreadable" in layer.reason
    assert layer.letters_found > layer.letters_kept


def test_a_word_drawn_twice_to_look_bold_is_one_word(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        for shift in (0, 0.3):
            page.insert_text((60 + shift, 440), "Registered tonnage")

    assert read(tmp_path, draw).markdown.count("Registered tonnage") == 1


def test_a_tick_is_a_tick(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        page.insert_text((60, 440), "3", fontname="zadb", fontsize=11)
        page.insert_text((75, 440), "Cargo declared", fontsize=11)

    layer = read(tmp_path, draw)
    assert "\N{CHECK MARK} Cargo declared" in flat(layer)


def test_an_accent_over_its_letter_belongs_to_it(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page)
        page.insert_text((60, 440), "The master was J", fontsize=11)
        width = pymupdf.get_text_length("The master was J", fontsize=11)
        page.insert_text((60 + width + 1, 440), "\N{ACUTE ACCENT}", fontsize=11)
        page.insert_text(
            (60 + width, 440), "anos Bartok, caf\N{LATIN SMALL LETTER E WITH ACUTE} owner.", fontsize=11
        )

    assert "J\N{LATIN SMALL LETTER A WITH ACUTE}nos Bartok, caf\N{LATIN SMALL LETTER E WITH ACUTE}" in flat(
        read(tmp_path, draw)
    )


def test_a_drop_cap_begins_its_word(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_text((60, 142), "T", fontsize=34)
        for number, line in enumerate(
            ("he harbour office keeps a ledger", "of every vessel and its master", "and")
        ):
            page.insert_text((84, 120 + 13 * number), line, fontsize=11)
        page.insert_textbox((60, 150, 300, 400), PROSE * 3, fontsize=11)

    layer = read(tmp_path, draw)
    assert "The harbour office keeps a ledger of every vessel" in flat(layer)


def test_contents_with_dots_are_a_list(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_text((60, 90), "Contents", fontsize=20, fontname="hebo")
        for number in range(1, 15):
            top = 110 + 18 * number
            page.insert_text((60, top), f"{number}")
            page.insert_text((90, top), f"Of vessels {number}" + " ." * 60)
            page.insert_text((520, top), f"{7 * number}")

    layer = read(tmp_path, draw)
    assert "|" not in layer.markdown
    assert "- 3 Of vessels 3 ..... 21\n" in layer.markdown
    assert "- 14 Of vessels 14 ..... 98" in layer.markdown


def test_a_box_with_two_columns_is_read_column_by_column(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        page.draw_rect((50, 90, 545, 250), fill=(0.9, 0.9, 0.9))
        page.insert_textbox((60, 100, 290, 240), "Leftish words come first in here. " * 9, fontsize=11)
        page.insert_textbox((305, 100, 535, 240), "Rightish words come after it. " * 9, fontsize=11)
        page.insert_textbox((60, 300, 535, 700), PROSE * 6, fontsize=11)

    layer = read(tmp_path, draw)
    assert layer.markdown.rindex("Leftish") < layer.markdown.index("Rightish")


def test_every_letter_of_a_crowded_page_reaches_the_label(tmp_path: Path) -> None:
    def draw(page: pymupdf.Page) -> None:
        for number in range(60):
            x, y = 20 + 97 * (number * 7 % 6), 60 + 12 * number
            page.insert_text((x, y), f"note {number}", fontsize=6 + number % 9)
        page.insert_text((300, 400), "sideways remark", rotate=90)

    layer = read(tmp_path, draw)
    assert layer.letters_found == layer.letters_kept
    assert not layer.doubtful
