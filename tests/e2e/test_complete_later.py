"""What shows up late, ends late or is dated by a wrong clock is found all the same."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.scene import AUDITS, DAY, HOUR, MINUTE, START, Scene
from tests.e2e.warehouse import Warehouse, assert_equal, selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from datto_rmm_sandbox.account import Account

JOBS = ("jobs", "job_components", "job_results", "job_outputs")
NO_SWEEP: dict[str, Any] = {"audit_sweep_days": 0}


# Audits


@pytest.mark.parametrize("late", [2_000, 10 * MINUTE, 50 * MINUTE])
def test_an_audit_date_that_the_list_shows_late_is_found_in_the_look_back(
    scene: Callable[..., Scene], late: int
) -> None:
    at = scene(devices=100)
    at.heal(*AUDITS, **NO_SWEEP)
    slow, fast = at.devices()[3], at.devices()[7]

    at.audits(slow, late=late, after=2 * HOUR)
    at.audits(fast)
    unseen = at.parents("device_software")[slow.uid,]
    assert at.run(*AUDITS, excepted=unseen, **NO_SWEEP).code == 0
    assert (slow.uid,) not in at.asked("device_audits")
    assert (fast.uid,) in at.asked("device_audits")
    at.rests(late)
    at.heal(*AUDITS, **NO_SWEEP)
    assert (slow.uid,) in at.asked("device_audits")


@pytest.mark.parametrize("minutes", [60, 24 * 60])
def test_the_look_back_costs_no_call_where_nothing_came_late(
    scene: Callable[..., Scene], minutes: int
) -> None:
    at = scene(devices=100)
    settings = {**NO_SWEEP, "lookback_minutes": minutes}
    at.heal(*AUDITS, **settings)
    at.audits(*at.devices()[:9])
    never = {(device.uid,) for device in at.devices(audited=False)}
    for changed in (9, 0, 0):
        at.rests(10 * MINUTE)
        at.heal(*AUDITS, **settings)
        asked = at.asked("device_audits")
        assert len(asked) == len(set(asked)) == len(never) + changed


def test_what_the_state_remembers_of_the_look_back_is_small(scene: Callable[..., Scene]) -> None:
    at = scene(devices=700)
    at.audits(*at.devices())
    for _ in range(2):
        assert at.run("device_audits", **NO_SWEEP).code == 0
    assert len(at.asked("device_audits")) <= len(at.devices(audited=False))


def test_a_device_that_comes_back_with_an_old_audit_date_is_found_by_the_sweep(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=100)
    streams = ("devices", "device_audits", "device_software")
    gone = at.devices()[:5]
    for device in gone:
        at.account.call(partial(at.account.account.remove_device, device))
    at.heal(*streams)
    at.rests(2 * DAY)
    for device in gone:
        at.account.call(partial(at.account.account.restore_device, device))
    runs, share = 10, len(at.devices()) / 8  # six hours of two days
    most = []
    for _ in range(runs):
        at.rests(6 * HOUR)
        assert at.run(*streams, excepted=_of(at, gone), audit_sweep_days=2).code == 0
        most.append(len(at.asked("device_audits")) - len(at.devices(audited=False)))
    assert_equal(at.warehouse, at.account, *streams)
    assert max(most[1:]) < 3 * share


def _of(at: Scene, devices: list[Any]) -> set[tuple[str, ...]]:
    uids = {device.uid for device in devices}
    keys = {key for stream in ("device_audits", "device_software") for key in at.missing(stream)}
    return {key for key in keys if key[0] in uids}


def test_every_device_is_audited_again_within_the_days_of_the_sweep(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    at.heal("device_audits")
    asked: list[tuple[str, ...]] = []
    for _ in range(13):
        at.rests(4 * HOUR)
        at.heal("device_audits", audit_sweep_days=2)
        asked += at.asked("device_audits")
    computers = {(device.uid,) for device in at.devices()}
    assert computers <= set(asked)
    per_device = (len(asked) - 13 * len(at.devices(audited=False))) / len(computers)
    assert per_device < 2.5


def test_without_a_sweep_nothing_is_audited_again(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    at.heal("device_audits")
    at.rests(40 * DAY)
    at.heal("device_audits", **NO_SWEEP)
    assert len(at.asked("device_audits")) == len(at.devices(audited=False))


# Jobs


def test_a_job_that_ends_without_a_word_in_the_log_is_read_again_until_it_has_ended(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    computers = at.devices()[:20]
    at.happens(lambda account: account.run_job(computers, account.now))
    job = list(at.account.account.jobs.values())[-1]
    at.heal(*JOBS)
    assert at.warehouse.tables["jobs"][job.uid,]["status"] == "active"
    assert at.names(job.uid)
    at.rests(3 * HOUR)
    at.heal(*JOBS)
    assert (job.uid,) in at.asked("jobs")
    at.happens(lambda account: account.finish_job(job))
    at.rests(3 * HOUR)
    at.heal(*JOBS)
    assert at.warehouse.tables["jobs"][job.uid,]["status"] == "completed"
    assert not at.names(job.uid)
    at.rests(3 * HOUR)
    at.heal(*JOBS)
    assert (job.uid,) not in at.asked("jobs")


def test_results_that_are_pending_are_read_again_where_they_alone_are_selected(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    computers = at.devices()[:20]
    at.happens(lambda account: account.run_job(computers, account.now))
    job = list(at.account.account.jobs.values())[-1]
    at.heal("job_results")
    at.happens(lambda account: account.finish_job(job), after=3 * HOUR)
    at.heal("job_results")
    statuses = {
        row["jobDeploymentStatus"]
        for key, row in at.warehouse.tables["job_results"].items()
        if key[0] == job.uid
    }
    assert not {"Pending", "Running"} & statuses


def test_a_job_that_never_ends_is_read_for_thirty_days(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    at.happens(lambda account: account.run_job(account.devices[:1], account.now))
    job = list(at.account.account.jobs.values())[-1]
    job.finished = START + 100 * DAY
    at.heal("jobs")
    for days, is_asked in ((5, True), (20, True), (10, False)):
        at.rests(days * DAY)
        at.heal("jobs")
        assert ((job.uid,) in at.asked("jobs")) == is_asked
    assert not at.names(job.uid)


def test_no_more_than_two_hundred_unfinished_jobs_are_remembered(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)

    def many(account: Account) -> None:
        for number in range(230):
            device = account.devices[number % 60]
            account.run_job([device], account.now).finished = START + 10 * DAY

    at.happens(many)
    assert at.run("jobs").code == 0
    at.rests(3 * HOUR)
    assert at.run("jobs").code == 0
    assert 150 < len(at.asked("jobs")) <= 200


# Clocks


@pytest.mark.parametrize("hours", [2, 48, -2, -48])
def test_a_date_header_that_is_wrong_in_one_run_loses_nothing(
    scene: Callable[..., Scene], hours: int
) -> None:
    streams = (*AUDITS, "devices", "alerts", "activity_logs", *JOBS)
    at = scene(devices=60, now=int(time.time()) * 1000 - 10 * MINUTE)
    at.heal(*streams)

    def lives(account: Account) -> None:
        for device in account.devices[:6]:
            account.audit(device, account.now)
            account.log(device, account.now)
        account.resolve(account.open_alerts[0])
        account.open(account.devices[0], account.now)
        account.run_job(account.devices[:2], account.now)

    at.happens(lives)
    at.turn(date_ahead=hours)
    at.run(*streams, excepted={key for stream in streams for key in at.missing(stream)})
    at.turn(date_ahead=0)
    at.happens(lives)
    at.heal(*streams)


# A catalog that forces full tables


@pytest.mark.parametrize(
    "stream",
    ["alerts", "device_audits", "device_software", "device_patches", "activity_logs", "jobs"],
)
def test_a_forced_full_table_reads_everything_anew(
    scene: Callable[..., Scene], stream: str
) -> None:
    at = scene(devices=60)
    at.heal(stream)
    at.rests(2 * HOUR)
    at.heal(stream)
    catalog = selection(stream)
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    at.warehouse = Warehouse(state=at.warehouse.state)
    run = at.run(stream, catalog=catalog)
    assert run.code == 0, run.err
    assert_equal(at.warehouse, at.account, stream)


# Patches carry the date of their audit


def test_patches_carry_the_date_of_the_audit_that_found_them(scene: Callable[..., Scene]) -> None:
    at = scene(devices=60)
    at.heal("device_patches")
    device = next(d for d in at.devices() if d.patches.installed)
    at.happens(lambda account: account.audit(device, account.now))
    at.heal("device_patches")
    rows = at.warehouse.tables["device_patches"].items()
    assert len({row["lastAuditDate"] for key, row in rows if key[0] == device.uid}) == 1


# Refreshes that are not due


def test_a_stream_that_need_not_be_read_in_each_run_is_read_when_it_is_due(
    scene: Callable[..., Scene],
) -> None:
    at = scene(devices=60)
    streams = ("sites", "site_settings", "site_variables", "users", "device_audits")
    settings: dict[str, Any] = {"refresh_hours": {"site_*": 24, "users": 2}}
    at.heal(*streams, **settings)
    asked = []
    for hours in (1, 2, 20, 3, 1):
        at.rests(hours * HOUR)
        assert at.run(*streams, **settings).code == 0
        asked.append((at.calls("/v2/site/[^/]+/settings") > 0, at.calls("/v2/account/users") > 0))
    assert asked == [(False, False), (False, True), (False, True), (True, True), (False, False)]
