"""A whole batch of a real teacher, from opening to closing it."""

import asyncio
from collections.abc import Sequence

from ocrstudio.tasks import Task
from ocrstudio.teachers.base import PageSource, Teacher
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch


def batch_of(
    teacher: Teacher, pages: Sequence[PageSource], task: Task
) -> tuple[BatchSummary, list[PageResult]]:
    """Draft the pages; what came of them in order of completion."""
    results: list[PageResult] = []

    async def scenario() -> BatchSummary:
        await teacher.open()
        try:
            return await run_batch(teacher, pages, task, on_result=results.append)
        finally:
            await teacher.close()

    return asyncio.run(scenario()), results
