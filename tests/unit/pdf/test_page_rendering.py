import io

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageFile

from ocrstudio.domain.errors import InputError
from ocrstudio.pdf import PageImage, open_document
from ocrstudio.pdf.png import encode_png
from ocrstudio.pdf.render import capped_dpi, write_page_image
from tests.fakes import pdfs


def one_page(path, draw, **page):
    with pymupdf.open() as document:
        draw(document.new_page(**page))
        document.save(path)
    return path


def test_a_page_has_the_pixels_of_its_resolution(tmp_path):
    with open_document(pdfs.text_pdf(tmp_path / "a.pdf")) as document:
        image = document.render(0, dpi=100)
    assert image.pixels.dtype == np.uint8
    assert (image.width, image.height) == pytest.approx((595 * 100 / 72, 842 * 100 / 72), abs=1)
    assert image.dpi == 100
    assert image.warnings == ()
    assert image.pixels.min() < 60
    assert tuple(image.pixels[0, 0]) == (255, 255, 255)


def test_a_huge_page_is_capped_and_says_so(tmp_path):
    with open_document(pdfs.huge_pdf(tmp_path / "poster.pdf")) as document:
        image = document.render(0, dpi=200)
    assert image.width * image.height <= 25_100_000
    assert image.dpi == pytest.approx(25.0)
    assert "14,400 x 14,400 pt: drawn at 25 dpi instead of 200" in image.warnings[0]


@given(
    width=st.floats(0.1, 1e6),
    height=st.floats(0.1, 1e6),
    dpi=st.floats(1, 2400),
    cap=st.integers(10_000, 10**8),
)
def test_the_cap_holds_for_every_page_size(width, height, dpi, cap):
    used = capped_dpi(width, height, dpi, cap)
    assert 0 < used <= dpi
    assert (width * used / 72) * (height * used / 72) <= cap * 1.0001


def test_rotation_and_crop_box_are_honoured(tmp_path):
    def draw(page):
        page.draw_rect((100, 100, 200, 400), fill=(1, 0, 0), color=None)
        page.set_cropbox(pymupdf.Rect(100, 100, 200, 400))
        page.set_rotation(90)

    with open_document(one_page(tmp_path / "r.pdf", draw)) as document:
        assert document.page_size(0) == (300, 100)
        pixels = document.render(0, dpi=72).pixels
    assert pixels.shape == (100, 300, 3)
    assert (pixels[10:-10, 10:-10] == (255, 0, 0)).all()


def test_annotations_are_drawn(tmp_path):
    def draw(page):
        page.add_rect_annot((50, 50, 150, 150)).update(fill_color=(0, 0, 1))

    with open_document(one_page(tmp_path / "a.pdf", draw, width=200, height=200)) as document:
        assert tuple(document.render(0, dpi=72).pixels[100, 100]) == (0, 0, 255)


def test_a_picture_without_enough_pixels_is_not_enlarged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (120, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "small.png", dpi=(72, 72))
    with open_document(tmp_path / "small.png") as document:
        image = document.render(0, dpi=300)
    assert np.array_equal(image.pixels, pixels)
    assert image.dpi == 72


@pytest.mark.parametrize(("suffix", "stated"), [("png", (1, 1)), ("tif", (0, 0)), ("jpg", (3, 3))])
def test_a_nonsensical_resolution_in_the_file_costs_no_pixels(tmp_path, suffix, stated):
    Image.new("L", (120, 80), 255).save(tmp_path / f"scan.{suffix}", dpi=stated)
    with open_document(tmp_path / f"scan.{suffix}") as document:
        assert document.render(0, dpi=200).pixels.shape == (80, 120, 3)


def test_a_strip_longer_than_any_format_allows_says_what_limits_it(tmp_path):
    with open_document(pdfs.huge_pdf(tmp_path / "strip.pdf", width=1, height=1_000_000)) as document:
        image = document.render(0)
    assert max(image.width, image.height) <= 65_001
    assert image.warnings[0].endswith("to stay within 65,000 pixels a side.")


def test_a_fine_scan_is_reduced_to_the_resolution_asked_for(tmp_path):
    Image.new("L", (600, 900), 255).save(tmp_path / "fine.png", dpi=(600, 600))
    with open_document(tmp_path / "fine.png") as document:
        assert document.render(0, dpi=200).pixels.shape == (300, 200, 3)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_applied_in_every_format(tmp_path, suffix, orientation):
    stored = Image.new("RGB", (96, 48), "white")
    stored.paste("black", (0, 0, 48, 24))  # top left
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    stored.save(path, exif=exif)
    with open_document(path) as document:
        size = document.page_size(0)
        pixels = document.render(0).pixels
    assert (size[0] > size[1]) == (orientation in {1, 3})
    rows, columns = {1: (1, 1), 3: (-2, -2), 6: (1, -2), 8: (-2, 1)}[orientation]
    assert pixels[rows, columns].max() < 60
    assert pixels[-1 if rows == 1 else 0, -1 if columns == 1 else 0].min() > 200


def test_transparency_becomes_white(tmp_path):
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    with open_document(tmp_path / "clear.png") as document:
        assert (document.render(0).pixels == 255).all()


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_png_is_decoded_bit_by_bit_by_pillow(pixels):
    with Image.open(io.BytesIO(encode_png(pixels, 200))) as decoded:
        assert decoded.mode == "RGB"
        assert np.array_equal(np.asarray(decoded), pixels)
        assert decoded.info["dpi"] == pytest.approx((200, 200), abs=0.02)


@pytest.mark.parametrize("format_name", ["png", "jpg"])
def test_files_carry_their_resolution_and_leave_nothing_beside_them(tmp_path, format_name):
    target = tmp_path / f"page.{format_name}"
    write_page_image(PageImage(np.full((30, 20, 3), 128, np.uint8), 150.0), target, format_name)
    with Image.open(target) as image:
        assert image.size == (20, 30)
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.02)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_failed_write_keeps_the_old_file_and_is_a_sentence(tmp_path):
    image = PageImage(np.zeros((2, 2, 3), np.uint8), 72.0)
    (tmp_path / "a file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_page_image(image, tmp_path / "a file" / "page.png")
    with pytest.raises(InputError, match="Unknown image format"):
        write_page_image(image, tmp_path / "page.bmp", "bmp")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_page_image(image, tmp_path / "taken")
    assert {path.name for path in tmp_path.iterdir()} == {"a file", "taken"}


@pytest.mark.parametrize("turned", [False, True])
def test_the_orientation_of_a_png_is_found_without_decoding_it(tmp_path, monkeypatch, turned):
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    Image.new("RGB", (40, 30), "white").save(tmp_path / "a.png", exif=exif)
    decoded = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image) or load(image))
    with open_document(tmp_path / "a.png") as document:
        width, height = document.page_size(0)
    assert (width < height) == turned
    assert decoded == []
