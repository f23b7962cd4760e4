"""The state: small, in time order, and refused where a run could not rely on it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_datto_rmm.singer.state import StateError, checked
from tests import truth
from tests.conftest import NOW, fast
from tests.e2e.warehouse import Warehouse, assert_equal
from tests.truth import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand

DAY = 86_400_000
BOOKMARK = "2026-11-18T10:00:00.000000+00:00"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")

Json = dict[str, Any]


def state(stream: str, **bookmark: object) -> Json:
    return {"bookmarks": {stream: bookmark}}


@pytest.mark.parametrize("devices", [20, 120])
def test_the_state_of_all_streams_is_small_whatever_the_number_of_devices(
    sandbox: Callable[..., Sandbox], devices: int
) -> None:
    account, warehouse = sandbox(devices=devices), Warehouse()
    settings: dict[str, Any] = {
        "emit_activate_version_messages": True,
        "deletion_guard_percent": 100,
    }
    warehouse.sync(account, *truth.STREAMS, **settings)
    assert warehouse.state["bookmarks"].keys() == truth.STREAMS.keys()
    assert len(json.dumps(warehouse.state)) < 5_000


def test_every_bookmark_is_a_canonical_timestamp_and_names_its_property(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.sync(account, *truth.STREAMS)
    for stream, bookmark in warehouse.state["bookmarks"].items():
        assert bookmark.get("replication_key") == truth.STREAMS[stream].incremental_by
        for key in bookmark.keys() & {"replication_key_value", "full_sweep"}:
            assert TIMESTAMP.fullmatch(bookmark[key])


@pytest.mark.parametrize(
    ("forbidden", "code"), [((), 0), (("/v2/account/users",), 1)], ids=["complete", "failed"]
)
def test_a_run_ends_with_its_state_whatever_stream_comes_last(
    quick: QuickTapCommand, sandbox: Callable[..., Sandbox], forbidden: tuple[str, ...], code: int
) -> None:
    """Of target-jsonl's kind there are many: a record makes them forget the state before it."""
    account = sandbox(forbid=forbidden)
    run = quick.sync(fast(account), "alerts", "users", "site_settings")
    assert run.code == code
    assert run.messages[-1]["type"] == "STATE"
    assert run.messages[-2]["type"] == "RECORD"
    assert run.messages[-1]["value"]["bookmarks"]["alerts"]["replication_key_value"]


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-18T10:00:00Z",
        "2026-11-18T10:00:00.000+00:00",
        "2026-11-18T12:00:00+02:00",
        "2026-11-18 10:00:00",
        "1795082400000",
    ],
)
def test_a_bookmark_in_another_form_of_date_is_taken_over_as_the_canonical_one(value: str) -> None:
    given = state("alerts", replication_key="resolvedOn", replication_key_value=value)
    (bookmark,) = checked(given, {"alerts": "resolvedOn"}).values()
    assert TIMESTAMP.fullmatch(bookmark["replication_key_value"])
    if value != "1795082400000":
        assert bookmark["replication_key_value"] == BOOKMARK


def test_what_the_sdk_leaves_behind_is_not_carried_on() -> None:
    given = state(
        "device_audits",
        replication_key="lastAuditDate",
        replication_key_value=BOOKMARK,
        partitions=[{"context": {"deviceUid": "1"}, "replication_key_value": BOOKMARK}],
        progress_markers={"Note": "Progress is not resumable if interrupted."},
        replication_key_signpost=BOOKMARK,
        starting_replication_value=BOOKMARK,
    )
    assert checked(given, {"device_audits": "lastAuditDate"}) == {
        "device_audits": {"replication_key": "lastAuditDate", "replication_key_value": BOOKMARK}
    }


def test_a_state_of_partitions_only_leads_to_a_full_read(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.state = state("device_audits", partitions=[{"context": {"deviceUid": "1"}}])
    warehouse.sync(account, "device_audits")
    assert_equal(warehouse, account, "device_audits")
    assert "partitions" not in warehouse.state["bookmarks"]["device_audits"]


def test_streams_that_there_are_no_more_are_named_and_dropped(
    sandbox: Callable[..., Sandbox], caplog: pytest.LogCaptureFixture
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.state = {"bookmarks": {"alerts": {}, "my_old_stream": {"rows": 7}}}
    warehouse.sync(account, "sites")
    assert "my_old_stream" in caplog.text
    assert warehouse.state["bookmarks"].keys() == {"alerts", "account"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "Give the last STATE of a run"),
        ("text", "Give the last STATE of a run"),
        ({"bookmarks": []}, "Give the last STATE of a run"),
        ({"bookmarks": {"alerts": "2026"}}, "Give the last STATE of a run"),
        (
            {"type": "STATE", "value": {"bookmarks": {}}},
            "Give the `value` of the last STATE message",
        ),
        ({"singer_state": {"bookmarks": {}}}, "Give the `value` of the last STATE message"),
        (
            {"bookmarks": {"tickets": {"since": 7}, "contacts": {}}},
            "not one of this tap: it has no stream contacts, tickets. Give each tap a state of its",
        ),
        (
            state("alerts", replication_key_value="yesterday"),
            "`replication_key_value` is not a date",
        ),
        (state("alerts", replication_key_value=""), "`replication_key_value` is not a date-time"),
        (state("alerts", replication_key_value=1795082400000), "is not a date-time such as 2026"),
        (state("alerts", replication_key_value={"a": 1}), "is not a date-time such as 2026"),
        (
            state("alerts", replication_key="timestamp", replication_key_value=BOOKMARK),
            "stream `alerts`: its `replication_key` is not `resolvedOn`. Remove `bookmarks.alerts`",
        ),
        (state("alerts", full_sweep="no"), "`full_sweep` is not a date-time"),
        (state("sites", rows=-1), "stream `sites`: `rows` is not a whole number, 0 or more"),
        (state("sites", rows=True), "`rows` is not a whole number, 0 or more"),
        (state("sites", rows=4, sample="xyz"), "`sample` is not hexadecimal text"),
    ],
)
def test_a_state_that_cannot_be_relied_on_is_refused_in_one_line_that_says_what_to_do(
    sandboxes: Callable[..., Sandbox],
    quickly: Callable[[str], QuickTapCommand],
    given: Json,
    says: str,
) -> None:
    run = quickly("state")(fast(sandboxes()), state=given)
    assert run.code == 1
    assert says in run.err
    assert "Traceback" not in run.err
    assert not [message for message in run.messages if message["type"] != "STATE"]


def test_a_bookmark_in_the_future_fails_its_own_stream_and_no_other(
    sandbox: Callable[..., Sandbox],
) -> None:
    account, warehouse = sandbox(), Warehouse()
    ahead = state(
        "device_audits",
        replication_key="lastAuditDate",
        replication_key_value=timestamp(NOW + 3650 * DAY),
    )
    warehouse.state = ahead
    sync = warehouse.sync(account, "users", "alerts", "device_audits")
    assert sync.failure == "1 of 3 streams are not complete: device_audits (failed)"
    assert sync.bookmarks["device_audits"] == ahead["bookmarks"]["device_audits"]
    assert_equal(warehouse, account, "users", "alerts")


def test_a_bookmark_in_the_future_says_what_to_do(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand
) -> None:
    ahead = state("users", read_at=timestamp(NOW + 3650 * DAY))
    run = quick.sync(fast(sandbox()), "users", state=ahead)
    assert run.code == 1
    said = r"State of stream `users`: `read_at` is in the future \(it is .*\)\. Remove `bookmarks\."
    assert re.search(said, run.err)


@pytest.mark.parametrize("given", [{}, {"bookmarks": {}}, state("alerts"), state("users", rows=0)])
def test_a_state_of_nothing_yet_is_a_first_run(
    sandbox: Callable[..., Sandbox], given: Json
) -> None:
    account, warehouse = sandbox(), Warehouse()
    warehouse.state = given
    warehouse.sync(account, "alerts", "users")
    assert_equal(warehouse, account, "alerts", "users")


def test_a_bookmark_a_little_ahead_of_the_clock_is_taken(sandbox: Callable[..., Sandbox]) -> None:
    account, warehouse = sandbox(), Warehouse()
    for stream in ("alerts", "activity_logs", "device_audits"):
        warehouse.state.setdefault("bookmarks", {})[stream] = {
            "replication_key": truth.STREAMS[stream].incremental_by,
            "replication_key_value": timestamp(NOW + 300_000),
        }
    ahead = list(warehouse.state["bookmarks"])
    sync = warehouse.sync(account, *ahead, lookback_minutes=0)
    assert sync.failure is None
    for stream in ahead:
        assert sync.bookmarks[stream]["replication_key_value"] == timestamp(NOW + 300_000)


def test_a_refusal_names_only_what_is_needed() -> None:
    with pytest.raises(StateError) as refusal:
        checked(state("alerts", replication_key_value="secret"), {"alerts": "resolvedOn"})
    assert "secret" not in str(refusal.value)
