"""The installer's program, built and run as on a machine that has no Python: every command, and the window.

    uv run --extra train pytest -m slow tests/e2e/test_installer.py

Building takes two minutes; ``OCRSTUDIO_INSTALLER=dist/ocrstudio`` names a folder that was built before. The
last test downloads what trains (3 GB); ``-m "slow and not network"`` leaves it out.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pymupdf
import pytest
import yaml
from PIL import Image

from ocrstudio import __version__
from ocrstudio.cli.main import COMMANDS
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from tests.fakes.openai_server import DEFAULT_ANSWER, OpenAiServer
from tests.fakes.pdfs import text_pdf
from tests.fakes.runs import REPOSITORY, fake_environment, scripted_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="the cleared environment is that of Linux"),
]

PAGES = 3
SENTENCE = "The harbour office keeps a ledger of every vessel, its master and the cargo that it declared."
LACKING = "The installed program does not hold what trains and runs the student (torch)."
NETWORK = ("SSL_CERT_FILE", "UV_CACHE_DIR", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY", "https_proxy")


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The executable, built from this checkout in an environment without what trains."""
    built = os.environ.get("OCRSTUDIO_INSTALLER")
    if built:
        return Path(built).absolute() / "ocrstudio"
    folder = tmp_path_factory.mktemp("installer")
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder / "venv")}
    environment.pop("VIRTUAL_ENV", None)
    build = ["uv", "run", "--no-dev", "--group", "installer", "pyinstaller", "--noconfirm"]
    places = ["--distpath", folder / "dist", "--workpath", folder / "build"]
    with (folder / "build.log").open("wb") as log:
        done = subprocess.run(
            [*build, *places, "build_installer.spec"],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
            check=False,
        )
    assert done.returncode == 0, (folder / "build.log").read_text()[-3000:]
    shutil.rmtree(folder / "build")
    return folder / "dist" / "ocrstudio" / "ocrstudio"


@pytest.fixture(scope="module")
def cleared(tmp_path_factory) -> dict[str, str]:
    """Nothing of this Python, and a home that nobody has used."""
    return {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder in which the commands are typed."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def installed(program, cleared, folder):
    """Run the program; a traceback in its output is a failure whatever the status."""

    def run(*arguments, timeout=300, stdin="", **environment):
        done = subprocess.run(
            [program, *map(str, arguments)],
            cwd=folder,
            env=cleared | environment,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        faults = ("Traceback", "No module named", "An unexpected", "Fault of the program")
        assert not [fault for fault in faults if fault in done.stderr], done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def document(folder) -> Path:
    return text_pdf(folder / "Größe 文書.pdf", pages=PAGES)


@pytest.fixture(scope="module")
def scan(folder, document) -> Path:
    """A page that is a picture."""
    with pymupdf.open(document) as source, pymupdf.open() as target:
        picture = source[0].get_pixmap(dpi=150)
        page = target.new_page(width=595, height=842)
        page.insert_image(page.rect, pixmap=picture)
        target.save(folder / "scan.pdf")
    return folder / "scan.pdf"


@pytest.fixture(scope="module")
def dataset(installed, folder, document) -> Path:
    """A workspace that was filled, drafted and exported."""
    assert "Imported 1 document" in installed("workspace", "new", "harbour").stdout + (
        installed("workspace", "import", "harbour", document).stdout
    )
    assert f"{PAGES} pages drafted by offline, 0 failed." in installed("workspace", "label", "harbour").stdout
    status = json.loads(installed("workspace", "status", "harbour", "--json").stdout)
    assert status["statuses"]["draft"] == PAGES
    done = installed("workspace", "export", "harbour", "--status", "draft", "--output", "data")
    assert done.returncode == 0, done.stderr
    return folder / "data" / "train.jsonl"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(installed, command):
    assert installed(*command.split(), "--help").stdout.startswith(f"Usage: ocrstudio {command}".rstrip())
    assert installed("--version").stdout == f"ocrstudio {__version__}\n"


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_pdf2img(installed, folder, document, kind):
    done = installed("pdf2img", "--source", document, "--output", kind, "--format", kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (folder / kind).iterdir()) == [
        f"{document.stem}_p{number}.{kind}" for number in range(1, PAGES + 1)
    ]
    with Image.open(folder / kind / f"{document.stem}_p1.{kind}") as picture:
        picture.load()


def test_infer_offline_reads_text_and_scans(installed, folder, document, scan):
    done = installed("infer", "--pdf", document, "--output", "text")
    assert done.returncode == 0, done.stderr
    assert SENTENCE in next((folder / "text").glob("*.md")).read_text(encoding="utf-8")
    done = installed("infer", "--pdf", scan, "--output", "scanned")
    assert done.returncode == 0, done.stderr
    assert "ledger" in next((folder / "scanned").glob("*.md")).read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/usr/bin/tesseract").exists(), reason="Tesseract is not installed")
def test_programs_of_the_machine_get_their_own_libraries(installed, folder, scan):
    (folder / "tesseract.yaml").write_text("type: offline\noffline:\n  ocr_engine: tesseract\n")
    done = installed("infer", "--pdf", scan, "--config", "tesseract.yaml", "--output", "tesseract")
    assert done.returncode == 0, done.stderr
    assert "ledger" in next((folder / "tesseract").glob("*.md")).read_text(encoding="utf-8")


def test_infer_asks_an_api(installed, folder, document):
    with OpenAiServer() as server:
        api = {"base_url": server.base_url, "model_name": "m", "api_key": "none"}
        (folder / "api.yaml").write_text(yaml.safe_dump({"type": "api", "api": api}), encoding="utf-8")
        done = installed("infer", "--pdf", document, "--config", "api.yaml", "--output", "api")
    assert done.returncode == 0, done.stderr
    assert DEFAULT_ANSWER in next((folder / "api").glob("*.md")).read_text(encoding="utf-8")


def test_prompts_runs_and_a_misspelt_command(installed):
    assert "Convert this document to markdown." in installed("infer", "--list-prompts").stdout
    assert installed("runs", "list").stdout.startswith("There are no runs here.")
    assert installed("trian").returncode == 2


def test_evaluate_compares_predictions(installed, folder, dataset):
    (folder / "predictions").mkdir()
    for line in dataset.read_text(encoding="utf-8").splitlines():
        question, answer = json.loads(line)["messages"]
        name = Path(question["images"][0]).stem
        (folder / "predictions" / f"{name}.md").write_text(answer["content"], encoding="utf-8")
    done = installed("evaluate", "--dataset", dataset, "--predictions", "predictions")
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert (report["overall"]["pages"], report["overall"]["cer"]["corpus"]) == (2, 0.0)


def test_inspect_knows_what_is_in_it_and_says_what_is_not(installed, dataset):
    done = installed("inspect", "--dataset", dataset, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    packages = {check["name"]: check["verdict"] for check in found["packages"]}
    assert packages["pyside6-essentials"] == packages["pymupdf"] == packages["rapidocr"] == "ok"
    assert "missing" not in packages.values()
    assert found["advice"][0].startswith(LACKING)
    assert found["dataset"]["samples"] == len(dataset.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--dataset", "data/train.jsonl", "--model", "micro"),
        ("evaluate", "--dataset", "data/train.jsonl", "--model", "micro"),
        ("infer", "--pdf", "scan.pdf", "--config", "student.yaml"),
    ],
)
def test_what_needs_torch_says_from_the_start_where_it_comes_from(installed, folder, dataset, scan, command):
    (folder / "student.yaml").write_text("type: local\nlocal:\n  model_path: micro\n")
    done = installed(*command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {LACKING}\nHint: `ocrstudio environment install` gets it")
    assert not (folder / "models").exists(), "no run is left that never began"


def test_the_demo_says_at_once_how_far_it_goes(installed, folder):
    done = installed("demo", "--workspace", "demo")
    assert done.returncode == 1
    assert done.stdout.index(LACKING) < done.stdout.index("1. Import the document")
    assert "4. Export the dataset" in done.stdout
    assert f"Error: {LACKING}" in done.stderr
    assert (folder / "demo" / "exports" / "demo" / "train.jsonl").is_file()


def test_nothing_is_installed_unasked(installed, cleared):
    done = installed("environment", "install")
    assert done.returncode == 1
    assert "Add --yes" in done.stderr
    assert not (Path(cleared["HOME"]) / ".local" / "share" / "ocrstudio").exists()


def test_the_window_shows_every_panel_and_draws_a_curve(installed, folder, dataset, monkeypatch, tmp_path):
    """Inside the frozen program; what is drawn late is loaded late, from the bundle."""
    for name, value in fake_environment(tmp_path / "state").items():
        monkeypatch.setenv(name, value)
    script = [["metric", 1, 2.0], ["metric", 2, 1.0], ["adapter"]]
    run = scripted_run(folder / "harbour" / "runs", script)
    subprocess.run([sys.executable, "-m", "ocrstudio.worker", "run", run.path], check=True, cwd=REPOSITORY)
    assert run.state() is RunState.FINISHED
    story = (
        f"import sys; sys.path.append({str(REPOSITORY)!r})\n"
        f"from tests.fakes.installed_window import play; play({str(folder / 'harbour')!r})\n"
    )
    done = installed("--worker", "code", "-q", stdin=story, QT_QPA_PLATFORM="offscreen", LANG="C.UTF-8")
    assert "window: 0" in done.stdout, done.stderr


def test_the_window_opens_a_document_and_ends_with_its_children(program, cleared, folder, document):
    environment = cleared | {"QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [program, document], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as window:
        process, deadline = psutil.Process(window.pid), time.monotonic() + 60
        while not (children := process.children()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert any("render_process" in " ".join(child.cmdline()) for child in children)
        time.sleep(2)
        window.terminate()
        said = window.communicate(timeout=30)[0].decode()
    assert "Traceback" not in said, said
    assert psutil.wait_procs(children, timeout=20)[1] == []


@pytest.mark.network
def test_it_installs_what_trains_and_trains(installed, folder):
    """The real thing: 3 GB from the package index (or uv's cache), and the demo's loop to its end."""
    network = {name: os.environ[name] for name in NETWORK if name in os.environ}
    done = installed("environment", "install", "--yes", timeout=1500, **network)
    assert done.returncode == 0, done.stderr
    assert "is complete" in done.stdout
    done = installed("demo", "--workspace", "loop", "--steps", 4, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "HELD-OUT PAGES" in done.stdout
    runs = [RunFolder(path) for path in (folder / "loop" / "runs").iterdir()]
    assert [run.state() for run in runs] == [RunState.FINISHED] * 3
    assert "torch" in runs[0].spec.versions
    inspected = json.loads(installed("inspect", "--model", "micro", "--json").stdout)
    assert {check["name"]: check["verdict"] for check in inspected["packages"]}["torch"] == "ok"
    assert installed("environment", "remove", "--yes").returncode == 0
