"""Keeps a fault of PySide6 6.12.0 from ending the program.

Built for the immortal objects of Python 3.12, that release returns ``None`` and ``True`` from its calls
without taking one. On Python 3.11, where these objects are counted like any other, every call of Qt
takes one reference away; after some thousands the interpreter aborts with "deallocating None" or
"deallocating True or False". (Measured: 100 calls lose 100 references in 6.12.0, none in 6.11.3.)
Labels are worth more than purity, so the counts are raised out of reach before the window is made.
"""

import ctypes
import sys

_OUT_OF_REACH = 1 << 40
_IMMORTAL_SINCE = (3, 12)


def protect_singletons() -> None:
    """Raises the reference counts of None, True and False where Python counts them."""
    if sys.version_info >= _IMMORTAL_SINCE or sys.implementation.name != "cpython":
        return
    for singleton in (None, True, False):
        # The count is the first field of every object in these versions of CPython.
        count = ctypes.c_ssize_t.from_address(id(singleton))
        if count.value < _OUT_OF_REACH // 2:
            count.value += _OUT_OF_REACH
