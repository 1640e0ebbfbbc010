import json

from ocrstudio.jobs.run_folder import RunFolder
from tests.fakes.runs import scripted_run


def test_an_evaluation_writes_its_report(ocrstudio, fake_student, dataset, tmp_path):
    fake_student(["metric", 1, 0.5])
    done = ocrstudio(
        "evaluate", "--dataset", dataset, "--model", "micro", "--task", "markdown", "--profile", "text"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Report: {tmp_path / 'results.json'}" in done.stdout
    assert json.loads((tmp_path / "results.json").read_text()) == {"cer": 0.5}
    (path,) = tmp_path.glob("runs/*")
    request = RunFolder(path).spec.request
    assert request["prompt"] == "<image>\nConvert this document to markdown."
    assert request["output"] == str(tmp_path / "results.json")
    assert RunFolder(path).spec.config["scoring"]["profile"] == "text"


def test_a_failed_evaluation_leaves_the_old_report(ocrstudio, fake_student, dataset, tmp_path):
    fake_student(["fail", "No weights.", ""])
    (tmp_path / "results.json").write_text("old")
    done = ocrstudio("evaluate", "--dataset", dataset, "--model", "micro")
    assert (done.returncode, done.stderr) == (1, "Error: No weights.\n")
    assert (tmp_path / "results.json").read_text() == "old"


def test_a_task_of_the_user_s_own_can_be_asked(ocrstudio, fake_student, dataset, tmp_path, monkeypatch):
    fake_student(["metric", 1, 0.5])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = tmp_path / "config" / "ocrstudio" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    (tmp_path / "mine.yaml").write_text("invoice:\n  user: Extract the invoice.\n")
    settings.write_text(f"prompts_file: {tmp_path / 'mine.yaml'}\n")
    done = ocrstudio("evaluate", "--dataset", dataset, "--model", "micro", "--task", "invoice")
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = tmp_path.glob("runs/*")
    assert RunFolder(path).spec.request["prompt"] == "<image>\nExtract the invoice."


def test_an_unknown_task_names_the_nearest(ocrstudio, fake_student, dataset):
    done = ocrstudio("evaluate", "--dataset", dataset, "--task", "markdwn")
    assert done.returncode == 1
    assert "markdown" in done.stderr


def test_an_adapter_can_be_named_by_its_run(ocrstudio, fake_student, dataset, tmp_path):
    training = scripted_run(tmp_path / "trained", [])
    fake_student(["metric", 1, 0.5])
    refused = ocrstudio("evaluate", "--dataset", dataset, "--model", "micro", "--adapter", training.path)
    assert "has no adapter" in refused.stderr
    training.adapter.mkdir()
    done = ocrstudio("evaluate", "--dataset", dataset, "--model", "micro", "--adapter", training.path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("runs/*")
    assert RunFolder(path).spec.request["adapter"] == str(training.adapter)


def test_an_adapter_of_the_reader_brings_its_base_along(ocrstudio, fake_student, dataset, tmp_path):
    adapter = tmp_path / "finetuned"
    adapter.mkdir()
    (adapter / "ocrstudio.json").write_text('{"format": 1, "base_model": "reader", "image": {}}')
    fake_student(["metric", 1, 0.5])
    done = ocrstudio("evaluate", "--dataset", dataset, "--adapter", adapter)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("runs/*")
    spec = RunFolder(path).spec
    assert spec.request["model"] == "reader"
    assert spec.config["image"]["base_size"] == 384


def test_an_output_that_is_a_folder_is_refused(ocrstudio, fake_student, dataset, tmp_path):
    done = ocrstudio("evaluate", "--dataset", dataset, "--model", "micro", "--output", tmp_path)
    assert done.returncode == 1
    assert "is a folder" in done.stderr
