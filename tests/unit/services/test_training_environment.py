"""What trains in an installed program: found, made, gone on with, brought up to date, never made unasked."""

import sys
import threading
import time
from importlib.metadata import metadata

import pytest
from filelock import FileLock

from ocrstudio.cli.main import main
from ocrstudio.domain.errors import InputError, RunError
from ocrstudio.jobs import training_environment as environment
from ocrstudio.jobs.command_line import module_command, relay_command, worker_command
from ocrstudio.jobs.training_environment import CONSTRAINTS, Status
from ocrstudio.paths import resources_dir
from ocrstudio.services.environment import advice, check_model, look_around
from ocrstudio.services.run_requests import installed_version, recorded_versions
from ocrstudio.services.training_environment import CancelledError, install, plan, remove
from tests.fakes.installer import Kit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake uv is a script")


@pytest.fixture
def kit(tmp_path, monkeypatch):
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    yield Kit(tmp_path, monkeypatch)
    environment.fingerprint.cache_clear()


def said(*_):
    """Nobody listens."""


def test_a_checkout_trains_with_its_own_python():
    assert environment.status() is Status.OWN
    assert worker_command("run", "x") == [sys.executable, "-m", "ocrstudio.worker", "run", "x"]
    with pytest.raises(RunError, match="a Python of its own") as refused:
        plan()
    assert "pip install 'ocrstudio[train]'" in refused.value.hint


def test_an_installed_program_says_what_it_does_not_hold(kit, tmp_path):
    assert environment.status() is Status.ABSENT
    with pytest.raises(RunError, match="does not hold what trains") as missing:
        worker_command("run", "x")
    assert "ocrstudio environment install" in missing.value.hint
    found = look_around(tmp_path)
    assert [check.name for check in found.packages] == [
        check.name for check in found.packages if check.installed
    ]
    sentences = advice(found, check_model("micro"))
    assert sentences[0].startswith("The installed program does not hold")
    assert "pip install" not in " ".join(sentences)


def test_children_that_need_no_torch_are_the_program_itself(kit):
    for command in (relay_command("launch", "x"), module_command("ocrstudio.worker", "launch", "x")):
        assert command == [sys.executable, "--worker", "ocrstudio.worker", "launch", "x"]


def test_it_is_installed_from_the_shipped_wheel_with_the_known_versions(kit):
    lines = []
    install(plan(), lambda text, written: lines.append(text))
    assert environment.status() is Status.READY
    assert worker_command("run", "x")[0] == str(kit.environment / "bin" / "python")
    create, fill = kit.calls
    assert f"--python {metadata('ocrstudio')['Requires-Python']} " in create
    wheel = (kit.folder / "ocrstudio-0.1.0-py3-none-any.whl").as_uri()
    assert f"ocrstudio[train] @ {wheel}" in fill
    assert f"--constraint {resources_dir() / CONSTRAINTS}" in fill
    assert fill.endswith(f" in {kit.environment}"), "never where a project may lie around"
    assert "Downloading torch (1.0GiB)" in lines
    assert "+ torch==2.11.0" not in lines
    assert "+ torch==2.11.0" in (kit.environment / "install.log").read_text()


def test_versions_are_those_that_workers_use(kit):
    install(plan(), said)
    packages = kit.environment / "lib" / "python3.12" / "site-packages"
    (packages / "torch-9.9.dist-info").mkdir(parents=True)
    (packages / "torch-9.9.dist-info" / "METADATA").write_text("Name: torch\nVersion: 9.9\n")
    assert installed_version("torch") == "9.9"
    versions = recorded_versions()
    assert (versions["torch"], versions["python"]) == ("9.9", "3.12.1")
    kit.ship(b"another wheel")
    assert installed_version("torch") is None, "an outdated environment is not used"


def test_what_was_interrupted_goes_on_and_is_not_used_before(kit):
    kit.fail("time.sleep(60)")
    stop = threading.Event()
    started = time.monotonic()
    with pytest.raises(CancelledError) as stopped:
        install(plan(), lambda text, written: stop.set() if "torch" in text else None, stop.is_set)
    assert time.monotonic() - started < 20
    assert "goes on where it stopped" in stopped.value.hint
    assert environment.status() is Status.UNFINISHED
    with pytest.raises(RunError, match="is not complete"):
        worker_command("run", "x")
    cache = kit.environment / "uv-cache"
    assert (cache / "arrived").exists(), "nothing that has arrived is thrown away"
    kit.mend()
    install(plan(), said)  # the fake uv fails where what has half arrived still lies about
    assert environment.status() is Status.READY
    assert not cache.exists(), "an environment that is complete needs no second copy"


def test_ctrl_c_ends_it_and_says_how_to_go_on(kit, capfd):
    kit.fail("import signal; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")
    started = time.monotonic()
    assert main(["environment", "install", "--yes"]) == 130
    assert time.monotonic() - started < 20
    assert "goes on where it stopped" in capfd.readouterr().out
    assert environment.status() is Status.UNFINISHED


def test_another_version_of_the_program_brings_it_up_to_date(kit):
    install(plan(), said)
    kit.ship(b"another wheel")
    assert environment.status() is Status.OUTDATED
    assert "up to date" in plan().in_words()
    with pytest.raises(RunError, match="belongs to another version"):
        worker_command("run", "x")
    install(plan(), said)
    assert environment.status() is Status.READY


def test_a_python_that_is_gone_is_noticed(kit):
    install(plan(), said)
    (kit.environment / "bin" / "python").unlink()
    assert environment.status() is Status.UNFINISHED


@pytest.mark.parametrize(
    ("said_by_uv", "words"),
    [
        (
            "error: Request failed after 3 retries\\n  Caused by: dns error: failed to lookup address",
            "there is no connection to the package index",
        ),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("error: the wheel of torch is damaged", "the wheel of torch is damaged"),
    ],
)
def test_a_failure_is_one_sentence_and_the_log_has_the_rest(kit, said_by_uv, words):
    kit.fail(f"sys.exit('{said_by_uv}')")
    with pytest.raises(RunError) as failed:
        install(plan(), said)
    assert failed.value.message == f"The training environment is not complete: {words}."
    log = kit.environment / "install.log"
    assert str(log) in failed.value.hint
    assert "Resolved 3 packages" in log.read_text()


def test_packages_that_cannot_be_loaded_do_not_count_as_installed(kit, monkeypatch):
    broken = "import sys; sys.exit('ImportError: libcudart.so.13: cannot open shared object file')"
    monkeypatch.setattr("ocrstudio.services.training_environment._CHECK", broken)
    with pytest.raises(RunError, match=r"libcudart\.so\.13"):
        install(plan(), said)
    assert environment.status() is Status.UNFINISHED


def test_a_folder_of_somebody_else_is_left_alone(kit):
    kit.environment.mkdir(parents=True)
    (kit.environment / "thesis.md").write_text("years of work")
    with pytest.raises(InputError, match="is not a training environment"):
        plan()
    assert remove() is None
    assert [path.name for path in kit.environment.iterdir()] == ["thesis.md"]


def test_it_can_be_removed(kit):
    install(plan(), said)
    assert remove() == kit.environment
    assert not kit.environment.exists()
    assert environment.status() is Status.ABSENT


def test_two_installations_do_not_meet(kit):
    kit.environment.mkdir(parents=True)
    with FileLock(kit.environment.with_name("training.lock")), pytest.raises(RunError, match="by another"):
        install(plan(), said)
    assert kit.calls == []


def test_without_uv_the_sentence_names_it(kit, monkeypatch):
    (kit.folder / "uv").unlink()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RunError, match="uv is missing"):
        plan()


def test_the_command_asks_first_and_tells_the_rest(kit, capsys):
    assert main(["environment", "install"]) == 1
    assert "Nothing is downloaded without being asked for" in capsys.readouterr().err
    assert kit.calls == []
    assert main(["environment", "install", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "GiB on disk" in out
    assert "  Downloading torch (1.0GiB)\n" in out
    assert main(["environment", "install"]) == 0, "nothing to ask about"
    assert "is complete" in capsys.readouterr().out
    assert main(["environment", "remove", "--yes"]) == 0
    assert not kit.environment.exists()
