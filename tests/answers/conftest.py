"""A database with tables that are filled by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.postgres import Postgres
from tests.answers.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL for all of a worker's tests."""
    with Postgres(tmp_path_factory.mktemp("answers") / "postgres") as postgres:
        yield postgres


@pytest.fixture
def tables(server: Postgres) -> Tables:
    """Empty tables of all streams, one site, and the answers."""
    found = Tables(server)
    found.reset()
    found.add("sites", uid="site", name="Harbour", onDemand=False)
    return found
