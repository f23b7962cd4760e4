"""The pipe's own promises: a stop is heeded wherever it comes, and the reason is told."""

from __future__ import annotations

import pytest

from fleet.errors import PipeError
from fleet.pipe import Log, Pipe, Programs


def test_a_stop_between_two_programs_ends_the_sync() -> None:
    pipe = Pipe(Programs("/bin/true", "/bin/true"), {})
    assert pipe.ask({}) == []
    assert pipe.stop() is False  # nothing to end: the caller ends itself
    with pytest.raises(PipeError, match="Stopped"):
        pipe.ask({})


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["12:00:00 | ERROR | sites failed: 403", "12:00:01 | done"], "sites failed: 403"),
        (
            [
                "2026-11-26 12:00:00 | ERROR    | target-postgres | Inserting with SQL: COPY x",
                "Traceback (most recent call last):",
                "psycopg.errors.InsufficientPrivilege: permission denied for table sites",
                "sqlalchemy.exc.ProgrammingError: (psycopg.errors.SyntaxError) permission",
                "[SQL: COPY x]",
                "(Background on this error at: https://sqlalche.me/e/21/f405)",
            ],
            "permission",
        ),
        (["", "12:00:00 | INFO | tap | starting", ""], "starting"),
        ([], "it said nothing"),
    ],
)
def test_the_reason_is_the_exception_or_else_the_last_error(
    lines: list[str], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    for line in lines:
        log.take(line.encode())
    assert log.last_words == reason
    assert capfd.readouterr().err.splitlines() == lines
