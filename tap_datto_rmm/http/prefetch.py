"""Ordered concurrency: many fetches under way, results in the order of the questions."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_prefetch(
    executor: Executor,
    fetch: Callable[[Item], Result],
    items: Iterable[Item],
    window: int,
    *,
    ramp: bool = False,
) -> Generator[tuple[Item, Result]]:
    """Fetch items on the executor's threads, at most `window` ahead, and yield in input order.

    Items are taken from their iterable on the caller's thread and only as the window moves, so that
    it may be endless, and may depend on results yielded before. Memory is bounded by `window`
    results. An exception of `fetch` surfaces where its result would have stood, after everything
    before it; whatever has not started by then, or when the caller stops reading, never does.

    Args:
        executor: where `fetch` runs.
        fetch: gives the result of one item; runs on many threads at once.
        items: what to fetch.
        window: results held or under way at once, 1 or more.
        ramp: begin with one and double with each result, so that little is fetched in vain where
            the end of `items` shows only in a result.

    Yields:
        Each item with its result.
    """
    upcoming = iter(items)
    under_way: deque[tuple[Item, Future[Result]]] = deque()
    width = 1 if ramp else window
    try:
        while True:
            while len(under_way) < width:
                try:
                    item = next(upcoming)
                except StopIteration:
                    break
                under_way.append((item, executor.submit(fetch, item)))
            if not under_way:
                return
            item, future = under_way.popleft()
            result = future.result()
            del future  # the result belongs to the caller alone
            width = min(window, width * 2)
            yield item, result
            del result
    finally:
        for _, future in under_way:
            future.cancel()
