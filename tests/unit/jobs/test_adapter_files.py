"""Adapters that are copied over one another, in folders that hold other things."""

import pytest

from ocrstudio.jobs.adapter_files import CONFIG_FILE, INFO_FILE, VECTORS_FILE, WEIGHTS_FILE, copy_adapter


@pytest.fixture
def adapter(tmp_path):
    def make(name, *, vectors):
        folder = tmp_path / name
        folder.mkdir()
        for file in (CONFIG_FILE, WEIGHTS_FILE, INFO_FILE, *[VECTORS_FILE] * vectors):
            (folder / file).write_text(f"{file} of {name}")
        return folder

    return make


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_a_copy_replaces_the_adapter_and_nothing_else(tmp_path, adapter):
    first, second = adapter("first", vectors=True), adapter("second", vectors=False)
    target = tmp_path / "models" / "finetuned"
    (target / "runs" / "one").mkdir(parents=True)
    (target / "notes.txt").write_text("mine")
    copy_adapter(first, target)
    assert contents(target) == contents(first) | {"notes.txt": "mine"}
    copy_adapter(second, target)
    assert contents(target) == contents(second) | {"notes.txt": "mine"}  # the vectors of the first are gone
    assert (target / "runs" / "one").is_dir()


def test_a_copy_that_fails_half_way_is_no_adapter(tmp_path, adapter):
    first, second = adapter("first", vectors=False), adapter("second", vectors=False)
    target = tmp_path / "target"
    copy_adapter(first, target)
    (target / WEIGHTS_FILE).unlink()
    (target / WEIGHTS_FILE / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=WEIGHTS_FILE):
        copy_adapter(second, target)
    assert not (target / INFO_FILE).exists()
    assert contents(second) == {name: f"{name} of second" for name in (CONFIG_FILE, WEIGHTS_FILE, INFO_FILE)}
