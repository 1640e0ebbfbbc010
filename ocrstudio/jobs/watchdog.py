"""The last resort of a child: it ends itself when a request takes far too long.

The parent kills it earlier. But a parent that was killed itself cannot, and while MuPDF draws, no Python of
the child runs that could notice. The timer of `faulthandler` is a thread that needs no interpreter lock.
"""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager

_GRACE_SECONDS = 5.0


@contextmanager
def ends_itself_after(limit: float | None) -> Iterator[None]:
    """End the process, with status 1, if the block takes more than a few seconds longer than the limit.

    Args:
        limit: Seconds that the parent allows; None for no end.
    """
    if limit is None:
        yield
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - the traceback is nobody's; a window has no stderr
        faulthandler.dump_traceback_later(limit + _GRACE_SECONDS, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
