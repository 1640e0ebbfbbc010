import json
import os
import subprocess
import sys


def test_one_screen_about_machine_packages_model_and_dataset(ocrstudio, fake_student, dataset):
    done = ocrstudio("inspect", "--model", "micro", "--dataset", dataset)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= 30
    for word in ("OCR Studio", "Python", "memory", "free on this disk", "transformers", "micro: ok"):
        assert word in done.stdout
    assert "3 samples; 1 line skipped" in done.stdout
    assert "Line 4" in done.stdout
    assert "answers of 8 to 8 characters" in done.stdout


def test_json_holds_everything(ocrstudio, fake_student, dataset, tmp_path):
    done = ocrstudio("inspect", "--json", "--model", tmp_path / "absent", "--dataset", dataset)
    data = json.loads(done.stdout)
    assert data["model"]["verdict"] == "missing"
    assert data["dataset"]["samples"] == 3
    assert {package["name"] for package in data["packages"]} >= {"torch", "transformers", "pymupdf"}
    assert data["memory_total"] > data["memory_available"] > 0


def test_it_works_and_says_what_to_do_where_torch_is_not_installed(fake_student, tmp_path):
    code = (
        "import importlib.metadata as m, sys; real = m.version\n"
        "def version(name):\n"
        "    if name in ('torch', 'transformers', 'peft', 'trl'): raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
        "from ocrstudio.cli.main import main; status = main(['inspect', '--model', 'micro'])\n"
        "assert 'torch' not in sys.modules and 'pymupdf' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MISSING (known to work:" in done.stdout
    assert "pip install 'ocrstudio[train]'" in done.stdout


def test_an_unusable_dataset_is_an_error(ocrstudio, fake_student, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    done = ocrstudio("inspect", "--model", "micro", "--dataset", "empty.jsonl")
    assert done.returncode == 1
    assert "empty.jsonl is empty" in done.stderr
