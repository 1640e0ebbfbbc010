"""What the picture of a page shows, for `draft_check`: measured in children while the teacher works."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from ocrstudio.domain.errors import OcrStudioError, SlowPageError
from ocrstudio.jobs.limited_pool import LimitedChild, LimitedPool, StepTooLongError
from ocrstudio.teachers.base import PageSource

if TYPE_CHECKING:
    from ocrstudio.imaging.ink import Ink

_PRELOADED: Final = ("ocrstudio.teachers.ink_worker",)
_MOST_CHILDREN = 4


@dataclass(frozen=True)
class PageInk:
    """What is known of a page without reading it.

    Attributes:
        ink: What its picture shows.
        glyphs: Letters that its PDF draws; 0 for a scan.
    """

    ink: "Ink"
    glyphs: int = 0


class InkMeter:
    """Measures pages in a few children. Open nothing: the first page that has a picture starts one.

    Args:
        at_once: Pages that are wanted at once.
    """

    def __init__(self, at_once: int) -> None:
        self._count = max(1, min(at_once, os.cpu_count() or 1, _MOST_CHILDREN))
        self._pool: LimitedPool | None = None

    async def measure(self, page: PageSource) -> PageInk | str:
        """Measure a page; a sentence when that is not possible."""
        if page.image is None and page.document is None:
            return f"{page.key} has no picture."
        try:
            if self._pool is None:
                self._pool = LimitedPool(self._count, _PRELOADED)
            return await asyncio.wrap_future(self._pool.submit(partial(_measure_in, page=page)))
        except StepTooLongError:
            return SlowPageError(page.key, "drawn", page.max_seconds).message
        except OcrStudioError as error:
            return error.message
        except Exception as error:  # noqa: BLE001 - a check that fails must not cost the draft
            return f"{page.key} could not be measured: {error}."

    async def close(self) -> None:
        """End the children."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.close)


def _measure_in(child: LimitedChild, page: PageSource) -> PageInk:
    (measured,) = child.steps(page.max_seconds, _measured, page)
    return measured


def _measured(page: PageSource) -> Iterator[PageInk]:
    """The task of a child: one step."""
    from ocrstudio.teachers.ink_worker import measure_page

    yield measure_page(page)
