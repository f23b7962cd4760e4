"""One bad device, site or job costs that one; many are an outage; each is made good later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.scene import AUDITS, DAY, FAN_OUT, HOUR, MINUTE, START, Scene, last_lines, told
from tests.e2e.warehouse import assert_equal
from tests.truth import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.records import Device

    from tests.e2e.warehouse import Key

FOR_GOOD = (
    "status=500",
    "status=503",
    "gateway=504",
    "reset",
    "html",
    "empty",
    "cut",
    "cut=chunked",
    "cut-json",
    "gzip-error",
    "status=409",
)
"""What a request may end in, however often it is sent; the statuses 403, 405 and 422 beside."""

NO_SWEEP: dict[str, Any] = {"audit_sweep_days": 0}


def victim(at: Scene, stream: str) -> Key:
    """One parent of a stream with rows: a device audited some time ago, an old job, any site."""
    parents = at.parents(stream)
    device_class = {"esxi_host_audits": "esxihost", "printer_audits": "printer"}
    jobs = at.account.account.jobs
    match FAN_OUT[stream].parent:
        case ("deviceUid",):
            found = [(d.uid,) for d in at.devices(device_class.get(stream, "device"))]
        case ("siteUid",):
            found = sorted(parents)
        case _:
            old = [job for job in jobs.values() if job.created < START - 3 * DAY]
            uids = {job.uid: job.created for job in old}
            found = sorted((p for p in parents if p[0] in uids), key=lambda p: (uids[p[0]], p))
    found = [parent for parent in found if parent in parents]
    return found[len(found) // 2]


def paths_of(devices: list[Device]) -> str:
    return f"/v2/audit/device/({'|'.join(device.uid for device in devices)})([?]|$)"


@pytest.mark.parametrize("status", [500, 403, 405, 422])
def test_one_bad_parent_of_each_stream_costs_its_own_rows_and_is_asked_for_first_in_the_next_run(
    scene: Callable[..., Scene], status: int
) -> None:
    at = scene(devices=60)
    victims = {stream: victim(at, stream) for stream in FAN_OUT}
    at.inject(*(f"status={status}:path={FAN_OUT[s].path_of(v)}" for s, v in victims.items()))
    run = at.run(*FAN_OUT)
    assert run.code == 1
    wrong = {s: len(at.missing(s) ^ at.parents(s)[v]) for s, v in victims.items()}
    assert not any(wrong.values()), wrong
    assert [s for s, v in victims.items() if not all(map(at.names, v))] == []
    assert [s for s in FAN_OUT if not told(run, s, f"HTTP {status}")] == []

    at.heal(*FAN_OUT, max_parallel_requests=1)
    assert {stream: at.asked(stream)[0] for stream in FAN_OUT} == victims
    assert [s for s, v in victims.items() if at.names(v[0])] == []


@pytest.mark.parametrize("fault", FOR_GOOD)
def test_one_bad_audit_costs_one_audit_whatever_is_bad_about_it(
    scene: Callable[..., Scene], fault: str
) -> None:
    at = scene(devices=100)
    bad = victim(at, "device_audits")
    at.inject(f"{fault}:path={FAN_OUT['device_audits'].path_of(bad)}")
    run = at.run("device_audits", "users")
    assert run.code == 1
    assert at.missing("device_audits") == {bad}
    assert not at.missing("users")
    assert "device_audits" in last_lines(run)
    at.heal("device_audits", "users", max_parallel_requests=1)
    assert at.asked("device_audits")[0] == bad


@pytest.mark.parametrize(("times", "code"), [(":times=1", 0), ("", 1)])
def test_headers_that_trickle_cost_no_more_than_the_timeout_of_a_request(
    scene: Callable[..., Scene], times: str, code: int
) -> None:
    at = scene(devices=60)
    bad = victim(at, "device_audits")
    path = FAN_OUT["device_audits"].path_of(bad)
    at.inject(f"trickle-headers:path={path}{times}")
    assert at.run("device_audits", request_timeout=1).code == code
    assert at.missing("device_audits") == ({bad} if code else set())
    at.heal("device_audits")


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("empty", {1}),
        ("null", {0, 1}),
        ("204", {0}),
        ("403", {1}),
        ("404", {0}),
        ("405", {1}),
        ("410", {0}),
        ("422", {1}),
        ("500", {1}),
    ],
)
def test_devices_that_were_never_audited_keep_no_other_from_being_loaded(
    scene: Callable[..., Scene], answer: str, codes: set[int]
) -> None:
    streams = ("device_audits", "esxi_host_audits", "printer_audits")
    at = scene(devices=100, never_audited=answer)
    run = at.run(*streams)
    assert run.code in codes, run.err
    assert_equal(at.warehouse, at.account, *streams)
    at.turn(never_audited="bare")
    at.heal(*streams)


def test_devices_that_were_never_audited_come_after_the_others(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=100)
    never = [(device.uid,) for device in at.devices(audited=False)]
    others = [(device.uid,) for device in at.devices()]
    for expected in (others, []):
        at.heal("device_audits", max_parallel_requests=1, **NO_SWEEP)
        asked = at.asked("device_audits")
        assert sorted(asked[-len(never) :]) == sorted(never)
        assert asked[: -len(never)] == expected


def test_a_bad_parent_is_tried_once_more_at_the_end_of_its_stream(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    bad = victim(at, "device_audits")
    path = FAN_OUT["device_audits"].path_of(bad)
    at.inject(f"status=422:path={path}:times=1")
    assert at.run("device_audits", max_parallel_requests=1).code == 0
    assert at.asked("device_audits").count(bad) == 2
    assert at.asked("device_audits")[-1] == bad
    assert_equal(at.warehouse, at.account, "device_audits")
    assert not at.names(bad[0])


def test_other_streams_of_a_bad_device_do_not_wait_for_it(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    bad = victim(at, "device_software")
    at.inject(f"status=500:path={FAN_OUT['device_audits'].path_of(bad)}")
    assert at.run(*AUDITS).code == 1
    assert_equal(at.warehouse, at.account, *AUDITS[1:])
    assert at.missing("device_audits") == {bad}
    at.heal(*AUDITS)


def test_what_is_outstanding_is_kept_where_a_run_does_not_come_to_its_stream(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    bad = victim(at, "device_audits")
    at.inject(f"status=500:path={FAN_OUT['device_audits'].path_of(bad)}")
    at.run("device_audits")
    at.inject()
    assert at.run("users").code == 0
    assert at.names(bad[0])
    at.heal("device_audits")


def test_a_custom_stream_with_a_bad_parent_is_no_exception(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    custom: dict[str, Any] = {
        "name": "device_open_alerts",
        "path": "/v2/device/{deviceUid}/alerts/open",
        "component": "Alert",
        "primary_keys": ["alertUid"],
        "parent": "devices",
    }
    settings: dict[str, Any] = {"custom_streams": [custom], "max_parallel_requests": 1}
    catalog = at.tap.catalog({**at.account.settings, **settings}, "device_open_alerts")
    bad = at.account.account.open_alerts[0].device.uid
    path = rf"/device/{bad}/alerts"
    of_bad = {(a.uid,) for a in at.account.account.open_alerts if a.device.uid == bad}
    everything = {(a.uid,) for a in at.account.account.open_alerts}
    at.inject(f"status=500:path={path}")
    assert at.run(catalog=catalog, **settings).code == 1
    assert everything - at.warehouse.tables["device_open_alerts"].keys() == of_bad
    assert at.names(bad)
    at.inject()
    assert at.run(catalog=catalog, **settings).code == 0
    first = next(entry.path for entry in at.entries if "/alerts/open" in entry.path)
    assert bad in first
    assert at.warehouse.tables["device_open_alerts"].keys() == everything


# What never passes


@pytest.mark.parametrize("stream", ["device_audits", "site_settings", "jobs"])
def test_what_fails_for_more_than_a_day_is_a_known_gap_that_turns_no_schedule_red(
    scene: Callable[..., Scene], stream: str
) -> None:
    at = scene(devices=100)
    bad = victim(at, stream)
    path, rows = FAN_OUT[stream].path_of(bad), at.parents(stream)[bad]
    at.inject(f"status=500:path={path}")
    assert at.run(stream).code == 1
    at.rests(12 * HOUR)
    assert at.run(stream).code == 1
    for hours in (13, 1, 30):
        at.rests(hours * HOUR)
        run = at.run(stream, excepted=rows)
        assert run.code == 0, run.err
        assert told(run, "WARNING", stream, bad[0])
        assert "known gap" in run.err
        assert at.names(bad[0])
    assert at.calls(path) == 1
    assert at.missing(stream) == rows

    run = at.heal(stream)
    assert not at.names(bad[0])
    assert "known gap" not in run.err


def test_what_was_healed_meanwhile_is_no_known_gap_when_it_fails_again(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    bad = victim(at, "site_settings")
    fault = f"status=500:path={FAN_OUT['site_settings'].path_of(bad)}"
    at.inject(fault)
    assert at.run("site_settings").code == 1
    at.rests(20 * HOUR)
    at.heal("site_settings")
    at.rests(20 * HOUR)
    at.inject(fault)
    assert at.run("site_settings").code == 1


@pytest.mark.parametrize("status", [404, 400, 410])
@pytest.mark.parametrize("stream", ["device_audits", "printer_audits", "jobs", "job_results"])
def test_what_is_gone_is_asked_for_once_more_and_then_forgotten(
    scene: Callable[..., Scene], stream: str, status: int
) -> None:
    at = scene(devices=100)
    gone = victim(at, stream)
    path, rows = FAN_OUT[stream].path_of(gone), at.parents(stream)[gone]
    at.inject(f"status={status}:path={path}")
    run = at.run(stream, excepted=rows)
    assert run.code == 0, run.err
    assert told(run, stream, "1 left out", f"HTTP {status}")
    assert at.missing(stream) == rows
    for times in (1, 0):
        at.rests(3 * HOUR)
        assert at.run(stream, excepted=rows, **NO_SWEEP).code == 0
        assert at.calls(path) == times
    assert not at.names(gone[0])


@pytest.mark.parametrize("status", [404, 400, 410])
@pytest.mark.parametrize("stream", ["device_audits", "jobs"])
def test_what_was_gone_only_in_one_run_comes_in_the_next(
    scene: Callable[..., Scene], stream: str, status: int
) -> None:
    at = scene(devices=100)
    gone = victim(at, stream)
    at.inject(f"status={status}:path={FAN_OUT[stream].path_of(gone)}")
    assert at.run(stream, excepted=at.parents(stream)[gone]).code == 0
    at.rests(3 * HOUR)
    at.heal(stream, **NO_SWEEP)


# Many bad parents are an outage


@pytest.mark.parametrize(
    ("fault", "stream", "path"),
    [
        ("gateway=404", "device_audits", "/v2/audit/device/[^/]+$"),
        ("status=404", "device_audits", "/v2/audit/device/[^/]+$"),
        ("status=410", "device_software", "/v2/audit/device/[^/]+/software"),
        ("gateway=404", "site_settings", "/v2/site/[^/]+/settings"),
        ("status=400", "jobs", "/v2/job/[^/]+$"),
    ],
)
def test_a_gateway_that_calls_everything_gone_empties_no_stream_for_good(
    scene: Callable[..., Scene], fault: str, stream: str, path: str
) -> None:
    at = scene(devices=400)
    at.inject(f"{fault}:path={path}")
    run = at.run(stream, "users")
    assert run.code == 1
    assert at.position(stream) == ""
    assert not at.missing("users")
    assert stream in last_lines(run)
    assert len(at.parents(stream)) >= 20
    at.heal(stream, "users")


@pytest.mark.parametrize("fault", ["status=404", "status=500"])
def test_twenty_and_a_fifth_of_the_parents_stop_the_stream_before_the_first_of_them(
    scene: Callable[..., Scene], fault: str
) -> None:
    at = scene(devices=75)
    devices = at.devices()
    assert len(devices) < 95
    bad = devices[10:30]
    at.inject(f"{fault}:path={paths_of(bad)}")
    assert at.run("device_audits").code == 1
    assert at.position("device_audits") <= str(timestamp(bad[0].audited))
    at.heal("device_audits")


@pytest.mark.parametrize(("fault", "code"), [("status=404", 0), ("status=500", 1)])
def test_nineteen_bad_parents_are_nineteen_bad_parents(
    scene: Callable[..., Scene], fault: str, code: int
) -> None:
    at = scene(devices=75)
    bad = at.devices()[10:29]
    keys = {(device.uid,) for device in bad}
    at.inject(f"{fault}:path={paths_of(bad)}")
    assert at.run("device_audits", excepted=keys).code == code
    assert at.missing("device_audits") == keys
    at.rests(3 * HOUR)
    at.heal("device_audits", **NO_SWEEP)


def test_the_state_stays_small_with_as_many_outstanding_as_there_may_be(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=640)
    devices = at.devices()
    bad = devices[50 : 50 + min(100, len(devices) // 5)]
    assert len(bad) > 90
    at.inject(f"status=500:path={paths_of(bad)}")
    assert at.run("device_audits").code == 1
    assert at.missing("device_audits") == {(device.uid,) for device in bad}
    at.heal("device_audits")


@pytest.mark.parametrize("fault", ["status=502", "reset", "html", "gateway=504"])
@pytest.mark.parametrize("after", [2, 60], ids=["in the lists", "in the audits"])
def test_an_outage_of_the_host_is_waited_out(
    scene: Callable[..., Scene], fault: str, after: int
) -> None:
    at = scene(devices=300)
    at.inject(f"{fault}:after={after}:seconds=1")
    run = at.run("devices", "device_audits", page_size=100)
    assert run.code == 0, run.err
    assert_equal(at.warehouse, at.account, "devices", "device_audits")


def test_an_outage_without_an_end_fails_and_what_was_read_before_stays_read(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=300)
    at.inject("status=502:after=60")
    run = at.run("devices", "device_audits", page_size=100)
    assert run.code == 1
    assert "HTTP 502" in last_lines(run)
    assert 0 < len(at.warehouse.tables["device_audits"]) < 60
    at.rests(5 * MINUTE)
    before = at.warehouse.tables["device_audits"].keys()
    at.heal("devices", "device_audits", **NO_SWEEP)
    again = before & set(at.asked("device_audits"))
    assert len(again) < len(before)
