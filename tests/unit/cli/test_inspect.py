import json
import os
import subprocess
import sys

from ocrstudio.services.dataset_statistics import token_counter


def test_one_screen_about_machine_packages_model_and_dataset(ocrstudio, fake_student, dataset):
    done = ocrstudio("inspect", "--model", "micro", "--dataset", dataset)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    # Long paths apart, as a terminal of 80 columns shows them.
    shown = [line.replace(str(dataset.parent), "") for line in lines]
    assert sum(1 + len(line) // 80 for line in shown) <= 24
    for word in ("OCR Studio", "Python", "memory", "free on this disk", "transformers", "micro: ok"):
        assert word in done.stdout
    assert "3 samples; 1 line skipped" in done.stdout
    assert "Line 4" in done.stdout
    tokens = token_counter("micro")("# Page 1")
    assert f"answers of {tokens} to {tokens} tokens (median {tokens}, 95 % up to {tokens}) █" in done.stdout
    words = " ".join(done.stdout.split())
    assert "duplicates: 0, contradictions: 0, pictures that cannot be opened: 0, too long" in words


def test_what_training_and_evaluation_share_is_found(ocrstudio, fake_student, dataset, tmp_path):
    lines = dataset.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "eval.jsonl").write_text(lines[1], encoding="utf-8")
    done = ocrstudio("inspect", "--model", "micro", "--dataset", dataset, "--eval-dataset", "eval.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert "pictures also in the evaluation set: 1" in " ".join(done.stdout.split())
    assert "page_p2.png: a picture in both training and evaluation (lines 2, 1)" in done.stdout
    assert "page: a document in both training and evaluation" in done.stdout
    data = json.loads(
        ocrstudio(
            "inspect", "--json", "--model", "micro", "--dataset", dataset, "--eval-dataset", "eval.jsonl"
        ).stdout
    )["dataset"]
    assert (data["counts"]["shared_picture"], data["counts"]["shared_document"]) == (1, 1)
    assert sum(bucket["count"] for bucket in data["lengths"]["histogram"]) == data["samples"] == 3
    alone = ocrstudio("inspect", "--model", "micro", "--eval-dataset", "eval.jsonl")
    assert (alone.returncode, "give both" in alone.stderr) == (2, True)


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
