import os
from pathlib import Path

from ocrstudio.store.page_cache import IN_USE_S, PageCache

PIXELS = 25_000_000


def put(cache: PageCache, document: int, size: int, used: float) -> Path:
    path = cache.path(document, 0, 200, PIXELS)
    path.write_bytes(b"x" * size)
    os.utime(path, (used, used))
    return path


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    oldest, older, newer = (put(cache, number, 100, used=1000.0 + number) for number in range(3))
    assert cache.trim(250, now=1000.0 + 2 * IN_USE_S) == 1
    assert [path.exists() for path in (oldest, older, newer)] == [False, True, True]


def test_a_file_that_was_just_asked_for_is_never_evicted(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    asked, idle = put(cache, 1, 100, used=1000.0), put(cache, 2, 100, used=2000.0)
    assert cache.find(1, 0, 200, PIXELS) == asked  # older by its writing, but in use from now on
    assert cache.trim(0) == 1
    assert asked.exists()
    assert not idle.exists()


def test_what_an_interrupted_writer_left_goes_even_when_there_is_room(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    left = tmp_path / ".d1_p1_200dpi.png.ab12.part"
    left.touch()
    os.utime(left, (1000.0, 1000.0))
    fresh = tmp_path / ".d1_p2_200dpi.png.cd34.part"
    fresh.touch()
    assert cache.trim(10**9) == 1
    assert not left.exists()
    assert fresh.exists()


def test_sizes_are_kept_apart(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    put(cache, 1, 10, used=1000.0)
    assert cache.find(1, 0, 150, PIXELS) is None
    assert cache.find(1, 0, 200, 2 * PIXELS) is None
    assert cache.find(1, 0, 200.0, PIXELS) == cache.path(1, 0, 200, PIXELS)
