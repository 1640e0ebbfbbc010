"""The ranges of the metadata, what CI runs of them, and what a run says outside of them."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from ocrstudio.domain.errors import RunError
from ocrstudio.jobs.events import read_events
from ocrstudio.jobs.launch import start_worker
from ocrstudio.worker.bodies import load_body
from ocrstudio.worker.library_versions import remark, untried_libraries
from tests.fakes.runs import REPOSITORY, scripted_run

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
STUDENT = {
    wanted.name: wanted.specifier
    for wanted in map(Requirement, PROJECT["project"]["optional-dependencies"]["train"])
}


@pytest.fixture
def metadata(tmp_path, monkeypatch):
    """Has this process and its children find other requirements of ours first."""

    def write(*requirements):
        folder = tmp_path / "site" / "ocrstudio-0.1.0.dist-info"
        folder.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", "Name: ocrstudio", "Version: 0.1.0", "Provides-Extra: train"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requirements]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(folder.parent))
        monkeypatch.setenv("PYTHONPATH", f"{folder.parent}:{REPOSITORY}")

    return write


def test_what_is_installed_here_was_tried():
    assert untried_libraries() == []
    assert remark([]) == ""


def test_the_range_of_transformers_ends_where_ci_ends():
    tried = [
        re.search(r"==([\d.]+)", line)[1]
        for line in PROJECT["tool"]["uv"]["constraint-dependencies"]
        if line.startswith("transformers==")
    ]
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    tried += re.findall(r"transformers==([\d.]+)", script)
    oldest, newest = map(Version, tried)
    wanted = STUDENT["transformers"]
    assert oldest in wanted
    assert newest in wanted
    assert f"{oldest.major}.{oldest.minor - 1}" not in wanted
    assert f"{newest.major}.{newest.minor + 1}" not in wanted


@pytest.mark.parametrize("name", ["transformers", "peft", "huggingface-hub", "torch"])
def test_what_is_subclassed_or_undocumented_has_an_end(name):
    assert any(part.operator == "<" for part in STUDENT[name])


def test_only_what_the_student_needs_here_is_compared(metadata):
    metadata(
        'pillow<1; extra == "train"',
        'numpy<1; extra == "train" and sys_platform == "nowhere"',
        'ocrstudio-absent<1; extra == "train"',
        "psutil<1",
        'pydantic>=2; extra == "train"',
    )
    (found,) = untried_libraries()
    assert (found.name, found.tried) == ("pillow", "<1")


def test_a_run_with_untried_libraries_says_so_once_before_it_starts(metadata, fake_student, tmp_path):
    metadata('pillow>=0.5,<1; extra == "train"')
    folder = scripted_run(tmp_path / "runs", [["metric", 1, 0.9]])
    assert start_worker(folder).process.wait() == 0
    told = [event for event in read_events(folder.events_path) if event.type in ("warning", "metric")]
    assert [event.type for event in told] == ["warning", "metric"]
    assert re.match(r"OCR Studio was never tried with pillow [\d.]+ \(tried: >=0.5,<1\); the run goes on\.",
                    told[0].data["message"])  # fmt: skip


def test_libraries_that_lack_what_the_student_is_made_of_end_in_a_sentence(metadata, tmp_path, monkeypatch):
    bodies = tmp_path / "lacking_bodies.py"
    bodies.write_text('BODIES = {"train": "lacking_student:train"}\n', encoding="utf-8")
    (tmp_path / "lacking_student.py").write_text("from PIL import nothing_like_it\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "lacking_bodies")
    with pytest.raises(ImportError, match="nothing_like_it"):
        load_body("train")  # with tried libraries it is our mistake
    metadata('pillow<1; extra == "train"')
    with pytest.raises(
        RunError, match=r"cannot work with pillow [\d.]+ \(tried: <1\): cannot import"
    ) as caught:
        load_body("train")
    assert "ocrstudio[train]" in caught.value.hint
