"""An installed program in a test: frozen, with a kit whose uv is a script that plays its part."""

import sys
from pathlib import Path

from ocrstudio.jobs import training_environment
from ocrstudio.jobs.training_environment import FOLDER_VARIABLE

# It writes what it was called with to calls.txt, and makes an environment whose Python is this one.
_UV = """#!{python}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with (here / "calls.txt").open("a") as calls:
    print(*sys.argv[1:], "in", os.getcwd(), file=calls)
if sys.argv[1] == "venv":
    folder = pathlib.Path(sys.argv[-1])
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "pyvenv.cfg").write_text("version_info = 3.12.1\\n")
    command = folder / "bin" / "python"
    command.write_text("#!/bin/sh\\nexec {python} \\"$@\\"\\n")
    command.chmod(0o755)
else:
    cache = pathlib.Path(os.environ["UV_CACHE_DIR"])
    (cache / ".tmpHalf").mkdir(parents=True)
    (cache / "arrived").touch()
    sys.stderr.write("Resolved 3 packages in 5ms\\nDownloading torch (1.0GiB)\\n")
    sys.stderr.flush()
    script = here / "fault.py"
    if script.exists():
        exec(script.read_text())
    sys.stderr.write(" + torch==2.11.0\\nInstalled 3 packages in 1ms\\n")
"""


class Kit:
    """What the installer ships, in a folder of the test.

    Args:
        tmp_path: The test's folder.
        monkeypatch: Of the test.
        children: Whether child processes are started as a frozen program does, too (which no Python can be).

    Attributes:
        folder: The kit.
        environment: Where the training environment goes.
    """

    def __init__(self, tmp_path: Path, monkeypatch, *, children: bool = True) -> None:
        self.folder = tmp_path / "bundle" / "training"
        self.environment = tmp_path / "data" / "training"
        self.folder.mkdir(parents=True)
        self.ship(b"wheel")
        uv = self.folder / "uv"
        uv.write_text(_UV.format(python=sys.executable))
        uv.chmod(0o755)
        if children:
            monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setenv(FOLDER_VARIABLE, str(self.environment))
        for module in ("ocrstudio.jobs.training_environment", "ocrstudio.services.training_environment"):
            monkeypatch.setattr(f"{module}.training_kit_dir", lambda: self.folder)
            monkeypatch.setattr(f"{module}.is_frozen", lambda: True)
        monkeypatch.setattr("ocrstudio.services.training_environment._CHECK", "print('torch can be loaded')")

    def ship(self, content: bytes) -> None:
        """Put another version of the program into the kit."""
        (self.folder / "ocrstudio-0.1.0-py3-none-any.whl").write_bytes(content)
        training_environment.fingerprint.cache_clear()

    def fail(self, script: str) -> None:
        """What uv does in place of installing."""
        (self.folder / "fault.py").write_text(script)

    def mend(self) -> None:
        """Let uv work again."""
        (self.folder / "fault.py").unlink()

    @property
    def calls(self) -> list[str]:
        """What uv was called with."""
        log = self.folder / "calls.txt"
        return log.read_text().splitlines() if log.exists() else []
