"""The threads that fetch."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

M_ARENA_MAX: Final = -8
"""Of glibc's `mallopt`: how many heaps there may be."""


def fetch_threads(number: int) -> ThreadPoolExecutor:
    """Make threads that fetch; none starts before there is work.

    glibc would give each a heap of its own, which keeps the memory of page bodies that the main
    thread frees: 20 MB and more in all.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    return ThreadPoolExecutor(number, thread_name_prefix="fetch")
