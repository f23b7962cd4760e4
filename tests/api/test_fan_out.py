"""Fan-out: whom a stream asks for, in which order, and what the inventory must remember for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.api.changes import ChangeDemand, Sweep, mark_of
from tap_datto_rmm.api.completeness import WHOLE
from tap_datto_rmm.api.devices import Device
from tap_datto_rmm.api.fan_out import (
    COMPUTERS,
    DEVICES,
    ESXI_HOSTS,
    JOB_CHANNELS,
    JOBS,
    PRINTERS,
    SITES,
    Demand,
    FanOut,
    Parent,
    Sources,
    devices_in_demand,
)
from tap_datto_rmm.api.inventory import Inventory

if TYPE_CHECKING:
    from tap_datto_rmm.api.account import Account, SiteList
    from tap_datto_rmm.api.activity_log import ActivityLog
    from tap_datto_rmm.api.devices import DeviceList
    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.records.timestamps import Timestamp


def day(number: int) -> Timestamp:
    return cast("Timestamp", f"2026-11-{number:02}T00:00:00.000000+00:00")


DATES = st.integers(1, 9).map(day)
DEVICES_FOUND = st.lists(
    st.builds(
        Device,
        uid=st.uuids().map(str),
        device_class=st.sampled_from(["device", "printer", "esxihost", "unknown", ""]),
        last_audit=st.none() | DATES,
    ),
    unique_by=lambda device: device.uid,
)
KINDS = st.sampled_from([SITES, DEVICES, COMPUTERS, ESXI_HOSTS, PRINTERS, JOBS])
DEMANDS = st.builds(
    ChangeDemand,
    since=st.none() | DATES,
    lookback=st.sampled_from([timedelta(), timedelta(days=2)]),
    sweep=st.builds(Sweep, st.floats(0, 0.99), st.floats(0, 1)),
).map(lambda changes: Demand(changes=changes))


class Found:
    """An account with these devices, and a log that names these jobs."""

    completeness = WHOLE

    def __init__(self, devices: list[Device], jobs: list[tuple[Any, ...]] | None = None) -> None:
        self._devices = devices
        self._jobs = jobs or []

    def all(self, _client: object, device_class: str | None = None) -> list[Device]:
        return [d for d in self._devices if device_class in {None, d.device_class}]

    def jobs(self, _client: object, since: str | None) -> list[Any]:
        return [job[:2] for job in self._jobs if job[0] >= (since or "")]

    def job_devices(self, _client: object, since: str | None) -> list[Any]:
        return [job for job in self._jobs if job[0] >= (since or "")]


def sources(found: Found) -> Sources:
    inventory = Inventory(cast("Account", None), cast("SiteList", found), cast("DeviceList", found))
    return Sources(cast("Client", None), inventory, cast("ActivityLog", found))


def asked(fan_out: FanOut, demand: Demand, found: Found) -> list[Parent]:
    return list(fan_out.find(sources(found), demand))


@given(DEVICES_FOUND, st.lists(st.tuples(KINDS, DEMANDS)))
def test_no_stream_misses_a_device_that_is_not_remembered(
    devices: list[Device], streams: list[tuple[FanOut, Demand]]
) -> None:
    kept = list(filter(devices_in_demand(streams), devices))
    for fan_out, demand in streams:
        if fan_out.device_class or fan_out is DEVICES:
            everything = asked(fan_out, demand, Found(devices))
            assert asked(fan_out, demand, Found(kept)) == everything


@given(DEVICES_FOUND, DEMANDS)
def test_audits_come_by_date_and_those_never_made_last(
    devices: list[Device], demand: Demand
) -> None:
    dates = [parent.changed for parent in asked(COMPUTERS, demand, Found(devices))]
    assert dates == sorted(dates, key=lambda date: (date is None, date or ""))


def computers(*audited: int | None) -> list[Device]:
    return [
        Device(f"d{place}", "device", None if n is None else day(n))
        for place, n in enumerate(audited)
    ]


def test_what_an_earlier_run_could_not_read_comes_first_wherever_the_bookmark_is() -> None:
    devices = computers(1, 2, 5, 6)
    first = frozenset({"d1"})
    demand = Demand(first=first, changes=ChangeDemand(since=day(4), first=first))
    assert [p.key for p in asked(COMPUTERS, demand, Found(devices))] == ["d1", "d2", "d3"]


def test_what_is_no_longer_listed_is_not_asked_for() -> None:
    demand = Demand(first={"gone"}, changes=ChangeDemand(first=frozenset({"gone"})))
    assert asked(COMPUTERS, demand, Found([])) == []


def test_a_date_that_shows_late_is_asked_for_and_one_that_was_read_is_not() -> None:
    devices = computers(3, 3, 1)
    read = frozenset({mark_of("d0", day(3))})
    changes = ChangeDemand(since=day(4), lookback=timedelta(days=2), marks=read)
    assert [p.key for p in asked(COMPUTERS, Demand(changes=changes), Found(devices))] == ["d1"]


def test_a_stream_that_is_not_due_asks_only_for_what_it_could_not_read() -> None:
    devices = computers(1, 2)
    demand = Demand(first={"d1"}, only_first=True)
    assert [p.key for p in asked(DEVICES, demand, Found(devices))] == ["d1"]


def test_jobs_of_an_earlier_run_come_before_those_that_the_log_names_and_only_once() -> None:
    found = Found([], [(day(2), "j1", "d1"), (day(3), "j2", "d1")])
    parents = asked(JOBS, Demand(since=day(1), first={"j2", "j0"}), found)
    assert [parent.key for parent in parents] == ["j0", "j2", "j1"]
    assert [parent.changed for parent in parents] == [None, day(3), day(2)]


def test_a_key_says_what_fills_the_path() -> None:
    (out, err) = asked(JOB_CHANNELS, Demand(), Found([], [(day(2), "j1", "d1")]))
    assert out.key == "j1/d1/stdout"
    assert err.columns == {"jobUid": "j1", "deviceUid": "d1", "channel": "stderr"}
