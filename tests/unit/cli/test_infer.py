"""``ocrstudio infer`` as a user types it, against a real server and a real child process."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pymupdf
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from ocrstudio.cli.infer import command
from tests.fakes.openai_server import Fault, OpenAiServer


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(1, 13):
        Image.new("RGB", (30, 40), "white").save(folder / f"book_p{number}.png")
    return folder


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    with pymupdf.open() as document:
        for number in range(2):
            page = document.new_page()
            page.insert_text((72, 100), f"Page number {number + 1} of the report is about apples.")
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner")
    return path


def config(folder: Path, url: str, **api: object) -> Path:
    path = folder / "teacher.yaml"
    lines = ["type: api", "api:", f"  base_url: {url}", *(f"  {key}: {value}" for key, value in api.items())]
    path.write_text("\n".join([*lines, "request:", "  max_retries: 0", "  concurrent_requests: 1"]))
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in args], catch_exceptions=False)


def test_the_prompts_are_listed_with_their_exact_words(tmp_path: Path) -> None:
    teacher = tmp_path / "teacher.yaml"
    teacher.write_text(
        "type: api\nprompts:\n  invoice:\n    system: You parse.\n    user: Extract details.\n"
    )
    result = run("--list-prompts", "--config", teacher)
    assert result.exit_code == 0
    assert "document  (protected" in result.output
    assert "user:   <|grounding|>Convert the document to markdown." in result.output
    assert "invoice  (custom)\n    system: You parse.\n    user:   Extract details." in result.output


def test_an_encrypted_pdf_is_labelled_offline_by_default(report: Path, tmp_path: Path) -> None:
    result = run("--pdf", report, "--password", "secret", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "2 of 2 pages labelled" in result.output
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.index("Page number 1") < text.index("Page number 2")
    assert "secret" not in (tmp_path / "out" / ".ocrstudio-infer.jsonl").read_text()


def test_a_missing_password_is_a_sentence_and_status_1(report: Path, tmp_path: Path) -> None:
    result = run("--pdf", report, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "needs a password" in result.output
    assert "Files that could not be opened: 1." in result.output


def test_a_failed_page_is_reported_and_counted(pictures: Path, tmp_path: Path) -> None:
    with OpenAiServer() as server:
        server.fail_next("refuse_request", "The picture is broken.")
        result = run(
            "--images", pictures, "--config", config(tmp_path, server.base_url), "--output", tmp_path / "out"
        )
    assert result.exit_code == 1
    assert len(re.findall(r"^Error: book_p\d+\.png: .*The picture is broken\.$", result.output, re.M)) == 1
    assert "11 of 12 pages labelled" in result.output
    assert "1 failed" in result.output


def test_a_server_that_refuses_the_key_is_one_sentence(pictures: Path, tmp_path: Path) -> None:
    with OpenAiServer(key="right") as server:
        result = run(
            "--images", pictures, "--config", config(tmp_path, server.base_url), "--output", tmp_path / "out"
        )
    assert result.exit_code == 1
    assert result.output.count("refused the API key") == 1
    assert "12 not done: go on with --resume" in result.output


def test_a_used_up_quota_is_the_providers_sentence_and_what_was_not_tried(
    pictures: Path, tmp_path: Path
) -> None:
    said = "You exceeded your current quota, please check your plan and billing details."
    quota = {"error": {"message": said, "type": "insufficient_quota", "code": "insufficient_quota"}}
    with OpenAiServer() as server:
        server.check = lambda _: Fault("error", (429, quota)) if len(server.requests) > 3 else None
        result = run(
            "--images", pictures, "--config", config(tmp_path, server.base_url), "--output", tmp_path / "out"
        )
        assert len(server.requests) == 4
    assert result.exit_code == 1
    assert "Stopped after 3 pages: " in result.output
    assert f"(status 429): {said} 9 pages were not tried." in result.output
    assert "3 of 12 pages labelled" in result.output
    assert "failed" not in result.output


def test_a_parameter_that_the_server_refuses_is_said_once(pictures: Path, tmp_path: Path) -> None:
    refused = {"error": {"message": "Unsupported value: 'temperature' does not support 0.0 with this model."}}
    with OpenAiServer(
        check=lambda body: Fault("error", (400, refused)) if "temperature" in body else None
    ) as server:
        teacher = config(tmp_path, server.base_url)
        result = run("--images", pictures, "--config", teacher, "--output", tmp_path / "out")
        assert len(server.requests) == 13
    assert result.exit_code == 0
    assert result.output.count("The server refused temperature, so it is left out") == 1


def test_a_dataset_is_written_with_the_student_s_prompt(pictures: Path, tmp_path: Path) -> None:
    with OpenAiServer() as server:
        teacher = config(tmp_path, server.base_url)
        result = run(
            *("--images", pictures, "--config", teacher, "--task", "ocr"),
            *("--format", "jsonl", "--output", tmp_path / "data.jsonl"),
        )
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text().splitlines()]
    assert [line["messages"][0]["images"] for line in lines] == [
        [f"pictures/book_p{number}.png"] for number in range(1, 13)
    ]
    assert lines[0]["messages"][0]["content"] == "<image>\n<|grounding|>OCR this image."


def test_the_name_of_the_output_says_the_format(pictures: Path, tmp_path: Path) -> None:
    with OpenAiServer() as server:
        teacher = config(tmp_path, server.base_url)
        result = run("--images", pictures, "--config", teacher, "--output", tmp_path / "out" / "pages.json")
    assert result.exit_code == 0, result.output
    assert len(json.loads((tmp_path / "out" / "pages.json").read_text())) == 12
    assert result.output.endswith(f"Results are in {tmp_path / 'out' / 'pages.json'}.\n")


def test_a_key_in_the_file_is_a_warning_like_every_other(pictures: Path, tmp_path: Path) -> None:
    with OpenAiServer() as server:
        teacher = config(tmp_path, server.base_url, api_key="sk-0123456789")
        done = subprocess.run(
            [sys.executable, "-m", "ocrstudio", "infer", "--list-prompts", "--config", str(teacher)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stderr.startswith(f"Warning: {teacher}, line 4: api_key is a key in plain text.")
    assert "sk-0123456789" not in done.stdout + done.stderr


def test_a_remark_about_the_model_is_made_once(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "tests.fakes.worker")
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    teacher = tmp_path / "teacher.yaml"
    teacher.write_text("type: local\nlocal:\n  model_path: tiny\n  adapter_path: an adapter\n")
    result = run("--images", pictures, "--config", teacher, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.output.count("Warning: The image settings of the adapter are used.") == 1
    assert result.output.count("The output was cut off at the token limit.") == 12
    assert "the answer was cut off" not in result.output


def test_a_student_is_named_without_a_configuration(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "tests.fakes.worker")
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    result = run("--images", pictures, "--model", "reader", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    texts = [file.read_text(encoding="utf-8") for file in (tmp_path / "out").glob("*.md")]
    assert texts
    assert all(text.startswith("reader:") for text in texts), "answers of the student that was named"


def test_a_page_that_had_to_be_reduced_says_so(tmp_path: Path) -> None:
    with pymupdf.open() as document, OpenAiServer() as server:
        document.new_page(width=14400, height=14400)
        document.save(tmp_path / "poster.pdf")
        teacher = config(tmp_path, server.base_url)
        result = run("--pdf", tmp_path / "poster.pdf", "--config", teacher, "--output", tmp_path / "out")
    assert result.exit_code == 0
    assert "Warning: Page 1 of poster.pdf measures 14,400 x 14,400 pt: drawn at 25 dpi" in result.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "Give --images or --pdf"),
        (["--resume", "--overwrite", "--images", "."], "exclude each other"),
    ],
)
def test_wrong_usage_has_status_2(args: list[str], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_what_is_done_survives_ctrl_c_and_kill(
    pictures: Path, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    fifth = threading.Event()

    def answer(body: dict) -> str:
        if len(server.requests) == 5:
            fifth.set()
            server.released.wait()
        return "# A page"

    out = tmp_path / "out"
    with OpenAiServer(answer) as server:
        args = ["--images", str(pictures), "--config", str(config(tmp_path, server.base_url))]
        process = subprocess.Popen(
            [sys.executable, "-m", "ocrstudio", "infer", *args, "--output", str(out)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert fifth.wait(60)
        process.send_signal(sent)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == status, output
    if sent is signal.SIGINT:
        assert "4 of 12 pages labelled" in output
        assert (out / "book.md").read_text().count("# A page") == 4
    with OpenAiServer() as server:
        result = run(
            "--images", pictures, "--config", config(tmp_path, server.base_url), "--output", out, "--resume"
        )
    # Another address is another server of the same model: its labels may be gone on with.
    assert result.exit_code == 0, result.output
    done_before = 12 - len(server.requests)
    # The fifth request may leave while the fourth answer is on its way to the journal.
    assert done_before in ({4} if sent is signal.SIGINT else {3, 4})
    assert f"{done_before} were done before" in result.output
