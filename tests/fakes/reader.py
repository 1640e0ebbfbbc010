"""A stand-in of the built-in reader: other resources, in which its folder holds a tiny network."""

from pathlib import Path

from ocrstudio import paths
from ocrstudio.student.export import save_model
from ocrstudio.student.micro import build_micro


def write_reader(folder: Path, seed: int = 1) -> None:
    """A model folder with random weights."""
    model, processor = build_micro(seed)
    save_model(model, processor.tokenizer, folder)


def stand_in(root: Path, monkeypatch) -> Path:
    """Lets the program find its resources below `root`; gives the folder of the reader, not yet there."""
    shipped = paths.data_root()
    (root / "resources").mkdir(parents=True)
    (root / "config").symlink_to(shipped / "config", target_is_directory=True)
    for entry in (shipped / "resources").iterdir():
        if entry.name != "reader":
            (root / "resources" / entry.name).symlink_to(entry)
    monkeypatch.setattr(paths, "data_root", lambda: root)
    return root / "resources" / "reader"
