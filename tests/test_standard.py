"""The SDK's standard tests of a tap, against a sandbox."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from datto_rmm_sandbox import Sandbox
from singer_sdk.testing import SuiteConfig, TapTestRunner, get_tap_test_class
from singer_sdk.testing.suites import SingerTestSuite, tap_stream_tests
from singer_sdk.testing.tap_tests import StreamPrimaryKeysTest
from typing_extensions import override

from tap_datto_rmm.tap import TapDattoRMM
from tests import truth
from tests.commands import select
from tests.conftest import NOW, fast

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS = 300
"""Enough for every stream of the account but the longest."""


class PrimaryKeysTest(StreamPrimaryKeysTest):
    """No key twice. The SDK's own test compares generators, which are never equal."""

    @override
    def test(self) -> None:
        names = truth.STREAMS[self.stream.name].keys
        assert tuple(self.stream.primary_keys) == names
        keys = Counter(tuple(record[name] for name in names) for record in self.stream_records)
        assert [key for key, count in keys.items() if count > 1] == []
        assert [key for key in keys if None in key] == []


STREAM_TESTS = [
    PrimaryKeysTest if test is StreamPrimaryKeysTest else test for test in tap_stream_tests.tests
]

CATALOG = TapDattoRMM(config={}, validate_config=False).catalog_dict
for entry in CATALOG["streams"]:
    select(entry, selected=True)

Standard: Any = get_tap_test_class(
    TapDattoRMM,
    config={"api_key": "k", "api_secret": "s", "platform": "merlot"},
    include_stream_tests=False,
    custom_suites=[SingerTestSuite("tap_stream", STREAM_TESTS)],
    parse_env_config=False,
    catalog=CATALOG,
)


class TestStandard(Standard):  # type: ignore[misc]
    """Each test of the SDK, for each stream and each property."""

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls) -> Iterator[TapTestRunner]:
        with Sandbox(devices=60, seed=7, now=NOW, rate_limit=0) as sandbox:
            runner = TapTestRunner(
                TapDattoRMM,
                config=fast(sandbox),
                suite_config=SuiteConfig(RECORDS),
                catalog=CATALOG,
            )
            runner.sync_all()
            yield runner


@pytest.mark.parametrize(
    "rows",
    [[{"uid": "1"}, {"uid": "2"}, {"uid": "1"}], [{"uid": None}], [{"id": 1}]],
    ids=["twice", "null", "missing"],
)
def test_our_test_of_primary_keys_can_fail(rows: list[dict[str, Any]]) -> None:
    tap = TapDattoRMM(config={}, validate_config=False)
    runner = TapTestRunner(TapDattoRMM)
    runner.records["devices"] = rows
    check, config, stream = PrimaryKeysTest(), SuiteConfig(), tap.streams["devices"]
    with pytest.raises((AssertionError, KeyError)):
        check.run(config, None, runner, stream)
    runner.records["devices"] = [{"uid": "1"}, {"uid": "2"}]
    check.run(config, None, runner, stream)
