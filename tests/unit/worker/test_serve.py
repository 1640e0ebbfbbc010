import asyncio
from pathlib import Path

import pytest

from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.line_process import ChildError, LineProcess

pytestmark = pytest.mark.usefixtures("fake_student")


def test_the_student_server_answers_through_the_worker():
    async def story():
        command = worker_command("serve", "--model", "micro")
        async with LineProcess(command, name="The student") as student:
            return await student.request(
                "predict", {"images": ["/x/page.png"], "prompts": ["Free OCR."], "generation": {}}
            )

    assert asyncio.run(story()) == [{"text": "micro:page.png:Free OCR."}]


def test_a_student_that_cannot_be_loaded_says_why():
    async def story():
        async with LineProcess(worker_command("serve", "--model", "absent"), name="The student"):
            pytest.fail("it must not start")

    with pytest.raises(ChildError, match="does not exist") as caught:
        asyncio.run(story())
    assert caught.value.hint == "Download the model."


def test_missing_packages_are_one_sentence(tmp_path: Path, monkeypatch):
    (tmp_path / "bodies_without_torch.py").write_text('BODIES = {"serve": "needs_torch:Server"}')
    (tmp_path / "needs_torch.py").write_text("import torch")
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "bodies_without_torch")

    async def story():
        await LineProcess(worker_command("serve", "--model", "micro"), name="The student").start()

    with pytest.raises(ChildError, match="package torch is not installed") as caught:
        asyncio.run(story())
    assert "ocrstudio[train]" in caught.value.hint
