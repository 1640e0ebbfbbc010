import io
import threading

import numpy as np
import pytest
from PIL import Image, features

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging import load_image, page_image
from ocrstudio.imaging.pillow_limit import without_pillow_limit
from ocrstudio.imaging.size import picture_dpi, picture_size

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def picture(size=(40, 20)):
    """Red left half, blue right half."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tif", "webp"])
def test_formats_give_the_same_pixels(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    picture().save(path, **({"lossless": True} if suffix == "webp" else {}))
    image = load_image(path)
    assert image.mode == "RGB"
    assert (image.getpixel((2, 2)), image.getpixel((38, 2))) == (RED, BLUE)


def test_bytes_are_read_like_a_file():
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    assert load_image(buffer.getvalue()).tobytes() == picture().tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_white_and_black_survive_every_mode(tmp_path, mode):
    grey = np.zeros((4, 6), np.uint8)
    grey[:, 3:] = 255
    levels = {"I;16": (np.uint16, 257), "I": (np.int32, 257), "F": (np.float32, 1 / 255)}
    if mode in levels:
        kind, factor = levels[mode]
        image = Image.fromarray((grey * float(factor)).astype(kind))
    else:
        image = Image.fromarray(grey).convert("RGBA" if mode == "PA" else mode)
        image = image.convert("PA") if mode == "PA" else image
    path = tmp_path / ("a.png" if mode in {"1", "L", "LA", "P", "RGBA", "I;16"} else "a.tif")
    if mode == "PA":
        path = tmp_path / "a.png"
        image = image.convert("P")
    image.save(path)
    pixels = np.asarray(load_image(path))
    assert pixels.shape == (4, 6, 3)
    assert (pixels[:, 0] <= 1).all()
    assert (pixels[:, 5] >= 254).all()


def test_transparent_parts_are_white(tmp_path):
    image = picture().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png").getpixel((3, 3)) == WHITE


def test_a_transparent_palette_colour_is_white(tmp_path):
    image = picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    image.save(tmp_path / "a.png", transparency=image.getpixel((0, 0)))
    loaded = load_image(tmp_path / "a.png")
    assert (loaded.getpixel((3, 3)), loaded.getpixel((38, 3))) == (WHITE, BLUE)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_is_applied_once(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6  # the left side is the top
    picture((64, 32)).save(tmp_path / f"a.{suffix}", exif=exif)
    image = load_image(tmp_path / f"a.{suffix}")
    assert image.size == (32, 64)
    assert image.getpixel((16, 5))[0] > 200
    assert image.getpixel((16, 58))[2] > 200


def test_an_animation_gives_its_first_frame(tmp_path):
    picture().save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", (40, 20), "lime")])
    assert load_image(tmp_path / "a.gif").getpixel((2, 2)) == RED


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1)])
def test_odd_shapes_are_kept(tmp_path, size):
    Image.new("L", size, 7).save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png").size == size


@pytest.mark.parametrize(("mode", "suffix"), [("1", "png"), ("RGB", "jpg"), ("P", "png"), ("RGBA", "png")])
def test_large_pictures_are_reduced_and_keep_their_content(tmp_path, mode, suffix):
    image = picture((1200, 800)).convert("L" if mode == "1" else mode).convert(mode)
    image.save(tmp_path / f"a.{suffix}")
    loaded = load_image(tmp_path / f"a.{suffix}", max_pixels=60_000)
    assert loaded.size == (300, 200)
    if mode != "1":
        assert np.abs(np.asarray(loaded).astype(int) - np.asarray(picture((300, 200)))).max() < 40


def test_reduction_in_bands_has_no_seams(tmp_path):
    ramp = np.linspace(0, 255, 4001).astype(np.uint8)
    Image.fromarray(np.repeat(ramp[:, None], 30, axis=1)).save(tmp_path / "a.png")
    rows = np.asarray(load_image(tmp_path / "a.png", max_pixels=40_000))[:, 2, 0].astype(int)
    assert (np.diff(rows) >= 0).all()
    assert np.diff(rows).max() <= 1


def test_a_picture_that_needs_too_much_memory_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    Image.new("RGB", (300, 300)).save(tmp_path / "a.png")
    monkeypatch.setattr(page_image, "MAX_DECODED_BYTES", 100_000)
    with pytest.raises(InputError, match="300 x 300 pixels"):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "gif", "webp"])
def test_a_picture_beyond_pillows_own_limit_is_read(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.new("L", (40, 40), 9).save(path, **({"compression": "tiff_lzw"} if suffix == "tif" else {}))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert load_image(path).size == picture_size(path) == (40, 40)
    picture_dpi(path)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_what_a_webp_takes_to_be_decoded_is_counted(tmp_path, monkeypatch):
    Image.new("RGB", (300, 300)).save(tmp_path / "a.webp")
    monkeypatch.setattr(page_image, "MAX_DECODED_BYTES", 300 * 300 * 8)
    with pytest.raises(InputError, match="300 x 300 pixels"):
        load_image(tmp_path / "a.webp")


def test_pillows_limit_comes_back_when_the_last_reader_is_done(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with without_pillow_limit():
        with without_pillow_limit():
            assert Image.MAX_IMAGE_PIXELS is None
        assert Image.MAX_IMAGE_PIXELS is None
    assert Image.MAX_IMAGE_PIXELS == 10


def test_what_cannot_be_read_is_a_sentence_with_the_file_name(tmp_path):
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 50).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    for name, sentence in [
        ("cut.png", "cannot be read"),
        ("text.png", "not an image"),
        ("empty.png", "not an image"),
        ("gone.png", "does not exist"),
    ]:
        with pytest.raises(InputError, match=sentence) as caught:
            load_image(tmp_path / name)
        assert name in caught.value.message


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_damage_that_pillow_calls_a_runtime_error_is_a_sentence_too(tmp_path):
    whole = io.BytesIO()
    picture().save(whole, "AVIF")
    (tmp_path / "a.avif").write_bytes(whole.getvalue().replace(b"iloc", b"free"))
    for read in (load_image, picture_size, picture_dpi):
        with pytest.raises(InputError, match=r"a\.avif cannot be"):
            read(tmp_path / "a.avif")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(page_image, "_LARGE_BYTES", 1000)
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png")
    with page_image._large:
        waiting = threading.Thread(target=load_image, args=(tmp_path / "a.png",))
        waiting.start()
        load_image(tmp_path / "b.png")  # a small one waits for nobody
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def test_threads_can_load_at_the_same_time(tmp_path):
    picture((400, 400)).save(tmp_path / "a.png")
    sizes = []
    threads = [
        threading.Thread(target=lambda: sizes.append(load_image(tmp_path / "a.png").size)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(400, 400)] * 8
