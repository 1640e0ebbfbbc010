"""What becomes of a batch at a server that behaves as servers do: requests, pages, and what is said.

Every case is a real server on the loopback interface. The table says how many requests twelve pages cost,
what became of the pages, and the label or the sentence that came of it.

    python benchmarks/servers.py
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.teachers.base import PageSource
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch
from ocrstudio.teachers.registry import create_teacher
from tests.fakes.openai_server import Fault, OpenAiServer

PAGES = 12
_SHOWN = 110


@dataclass(frozen=True)
class Case:
    """A server: the faults it answers, always or by what is asked, or the text of its answers."""

    name: str
    always: Fault | None = None
    check: Callable[[dict[str, Any]], Fault | None] | None = None
    answer: str = "# Title"


def error(status: int, message: str, **fields: str) -> Fault:
    return Fault("error", (status, {"error": {"message": message, **fields}}))


def refuses(name: str, words: str) -> Callable[[dict[str, Any]], Fault | None]:
    return lambda body: error(400, words) if name in body else None


_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_GEMINI_KEY = [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]
CASES = (
    Case("quota used up (429)", error(429, _QUOTA, code="insufficient_quota")),
    Case("payment (402)", error(402, "Insufficient Balance")),
    Case("key in a 400", Fault("error", (400, _GEMINI_KEY))),
    Case("unknown model (404)", error(404, "The model `x` does not exist.")),
    Case("unknown model (400)", error(400, "x is not a valid model ID")),
    Case("a website (200)", Fault("html")),
    Case("refuses temperature", check=refuses("temperature", "Unsupported value: 'temperature' is not 1.")),
    Case(
        "refuses max_tokens", check=refuses("max_tokens", "Unsupported parameter: 'max_tokens'. Use another.")
    ),
    Case("thoughts, then text", answer="<think>\nA page.\n</think>\n\n# Title"),
    Case("thoughts without beginning", answer="A page.\n</think>\n\n# Title"),
    Case("thoughts without end", answer="<think>A page wi"),
    Case(
        "fence and talk",
        answer="Here is the page:\n\n```markdown\n# Title\n```\n\nLet me know if you need more!",
    ),
)


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    print("| server | requests | drafted | failed | left | label, or what is said |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "page.png"
        Image.new("RGB", (300, 400), "white").save(image)
        pages = [PageSource(f"page {number + 1}", image=image) for number in range(PAGES)]
        for case in CASES:
            with OpenAiServer(case.answer, check=case.check) as server:
                server.always = case.always
                summary, results = asyncio.run(label(server.base_url, pages))
                requests = len(server.requests)
                said = outcome(summary, results).replace(server.base_url, "SERVER").replace("\n", "⏎")
            print(
                f"| {case.name} | {requests} | {summary.done} | {summary.failed} | {summary.untouched} "
                f"| {said[:_SHOWN]} |"
            )
    return 0


def outcome(summary: BatchSummary, results: list[PageResult]) -> str:
    """What a user gets to see."""
    if summary.stopped_by is not None:
        return str(summary.stopped_by)
    errors = [str(result.error) for result in results if result.error is not None]
    return errors[0] if errors else f"`{results[0].draft.text}`" if results[0].draft else ""


async def label(base_url: str, pages: list[PageSource]) -> tuple[BatchSummary, list[PageResult]]:
    """Send all pages, with the shipped patience."""
    values = {"type": "api", "api.base_url": base_url, "api.model_name": "any", "model_type": "default"}
    teacher = create_teacher(load_teacher_config(None, values))
    results: list[PageResult] = []
    await teacher.open()
    try:
        task = get_task(load_tasks(), "markdown")
        return await run_batch(teacher, pages, task, on_result=results.append), results
    finally:
        await teacher.close()


if __name__ == "__main__":
    sys.exit(main())
