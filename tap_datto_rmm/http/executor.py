"""The threads that fetch, and what they count: each counts for the stream whose work it does."""

from __future__ import annotations

import ctypes
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

M_ARENA_MAX: Final = -8
"""Of glibc's `mallopt`: how many heaps there may be."""


@dataclass(slots=True)
class Tally:
    """What was asked of the API, for a stream or for the whole run."""

    calls: int = 0
    """Requests that left, those for tokens included."""
    tokens: int = 0
    retries: int = 0
    """Requests repeated after a fault."""
    refusals: int = 0
    """HTTP 429."""
    waited: float = 0.0
    """Seconds that workers, taken together, waited for the budget."""


TALLY: Final[ContextVar[Tally]] = ContextVar("TALLY", default=Tally())  # noqa: B039 - a sink
"""Where the stream counts for which this thread works."""


class Fetchers(ThreadPoolExecutor):
    """Threads that count for the stream that handed them the work."""

    def __init__(self, threads: int) -> None:
        """Start no thread yet.

        glibc would give each a heap of its own, which keeps the memory of page bodies that the
        main thread frees: 20 MB and more in all.
        """
        super().__init__(threads, thread_name_prefix="fetch")
        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

    @override
    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        context = copy_context()
        return super().submit(lambda: context.run(fn, *args, **kwargs))
