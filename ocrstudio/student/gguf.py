"""GGUF files for llama.cpp and what is built on it, written by llama.cpp's own converter.

The converter is not part of us: it belongs to the release of llama.cpp that will read the files. It is given
a merged model in the public layout (without the base's program files, which it would otherwise be free to
run), once for the language model and once for what sees.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ocrstudio.domain.errors import ModelError
from ocrstudio.student.adapter_export import Progress, merge_adapter

MODEL_FILE = "model.gguf"
PICTURES_FILE = "mmproj.gguf"

_PASSES: Sequence[tuple[str, str, tuple[str, ...]]] = (
    (MODEL_FILE, "the language model", ()),
    (PICTURES_FILE, "what sees the pictures", ("--mmproj",)),
)
_TYPE = "f16"


def export_gguf(model: str, adapter: Path, target: Path, converter: Path, *, progress: Progress) -> None:
    """Merge an adapter and have the result converted.

    Args:
        model: Folder of the base model.
        adapter: Adapter folder of a run.
        target: Folder for the two files; missing or empty. It appears when both are complete.
        converter: ``convert_hf_to_gguf.py`` of llama.cpp.
        progress: Told what is done.

    Raises:
        ModelError: The parts do not belong together, the target cannot be written, or the converter failed.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
            merged, written = Path(folder) / "merged", Path(folder) / "gguf"
            merge_adapter(model, adapter, merged, with_code=False, progress=progress)
            written.mkdir()
            for done, (name, part, options) in enumerate(_PASSES):
                progress(f"Converting {part}", done, len(_PASSES))
                _convert(converter, merged, written / name, options)
            written.replace(target)
    except OSError as error:
        raise ModelError(
            f"The files cannot be written to {target}: {error}.", "Check space and permissions."
        ) from error


def _convert(converter: Path, merged: Path, output: Path, options: Sequence[str]) -> None:
    command = [sys.executable, str(converter), str(merged), "--outfile", str(output)]
    command += ["--outtype", _TYPE, *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0 and output.is_file():
        return
    sys.stderr.write(done.stdout + done.stderr)  # into the log of the worker
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    reason = lines[-1].rstrip(".") if lines else f"it wrote no {output.name}"
    raise ModelError(
        f"The converter {converter} failed: {reason}.",
        "It has to be of a release of llama.cpp that knows DeepseekOCRForCausalLM (since March 2026), with "
        "its folder gguf-py beside it.",
    )
