"""What counts as what, case by case."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from demo.answers import VIEWS, install, questions
from demo.postgres import psql
from tests.answers.tables import NOW

if TYPE_CHECKING:
    from tests.answers.tables import Tables

LONG_AGO = "2026-10-01"


@pytest.mark.parametrize(
    ("device", "state"),
    [
        ({}, "patched"),
        ({"status": "RebootRequired"}, "restart due"),
        ({"status": "ApprovedPending"}, "pending"),
        ({"status": "InstallError"}, "failing"),
        ({"status": "NoPolicy"}, "no policy"),
        ({"status": "NoData"}, "no data"),
        ({"status": None}, "no data"),
        ({"status": "SomethingNew"}, "no data"),
        ({"lastAuditDate": None}, "no data"),
        ({"lastSeen": LONG_AGO}, "not seen"),
        ({"lastSeen": None}, "not seen"),
        ({"lastSeen": LONG_AGO, "lastAuditDate": None}, "no data"),
        ({"status": "NoPolicy", "lastSeen": LONG_AGO}, "no policy"),
        ({"operatingSystem": "macOS 26.0.1"}, "not patchable"),
        ({"operatingSystem": None}, "not patchable"),
        ({"siteUid": "on-demand"}, "not patchable"),
        ({"siteUid": "not in the list of sites"}, "patched"),
    ],
)
def test_the_first_patch_state_that_fits_counts(
    tables: Tables, device: dict[str, Any], state: str
) -> None:
    tables.add("sites", uid="on-demand", name="Break-fix", onDemand=True)
    tables.device()  # it is seen now
    uid = tables.device(**device)
    found = {row["device_uid"]: row["patch_state"] for row in tables.ask("computers")}
    assert found[uid] == state


@pytest.mark.parametrize(
    ("device", "state"),
    [
        ({}, "covered"),
        ({"antivirus": "RunningAndNotUpToDate"}, "outdated"),
        ({"antivirus": "NotRunning"}, "not running"),
        ({"antivirus": "NotDetected"}, "not detected"),
        ({"antivirus": None}, "no data"),
        ({"antivirus": "SomethingNew"}, "no data"),
        ({"lastSeen": LONG_AGO}, "not seen"),
    ],
)
def test_antivirus_counts_as_what_the_computer_told_lately(
    tables: Tables, device: dict[str, Any], state: str
) -> None:
    tables.device()
    uid = tables.device(**device)
    found = {row["device_uid"]: row["antivirus_state"] for row in tables.ask("computers")}
    assert found[uid] == state


def test_compliance_is_rounded_down_and_leaves_the_unknown_beside_it(tables: Tables) -> None:
    for _ in range(199):
        tables.device()
    tables.device(status="ApprovedPending")
    tables.device(status="NoData")
    (row,) = tables.ask("patch_compliance")
    assert (row["patched"], row["known"], row["compliance"]) == (199, 200, 99)
    assert (row["computers"], row["no_data"]) == (201, 1)


def test_a_site_of_which_nothing_is_known_has_no_compliance_instead_of_100_percent(
    tables: Tables,
) -> None:
    tables.add("sites", uid="other", name="Elsewhere")
    tables.device(siteUid="other")
    tables.device(lastSeen=LONG_AGO)
    found = {row["site"]: row["compliance"] for row in tables.ask("patch_compliance")}
    assert found == {"Harbour": None, "Elsewhere": 100}


def test_what_left_the_account_or_is_no_computer_counts_nowhere(tables: Tables) -> None:
    tables.device()
    tables.device(_sdc_deleted_at="2026-11-17")
    tables.device(deleted=True)
    tables.device(deviceClass="printer", operatingSystem=None)
    assert [row["computers"] for row in tables.ask("scorecard")] == [1]


def test_rows_of_an_older_reading_are_not_current(tables: Tables) -> None:
    device = tables.device()
    tables.patch(device, title="superseded", lastAuditDate="2026-11-10")
    tables.patch(device, title="never dated", lastAuditDate=None)
    tables.patch(device, title="current")
    assert [row["title"] for row in tables.ask("current_patches")] == ["current"]


def test_a_computer_whose_list_has_become_empty_has_no_patches(tables: Tables) -> None:
    emptied, other = tables.device(lastAuditDate="2026-11-17"), tables.device()
    tables.patch(emptied, lastAuditDate="2026-11-10")
    tables.patch(other, title="current")
    assert [row["title"] for row in tables.ask("current_patches")] == ["current"]


def test_where_patches_are_read_less_often_the_reading_before_stays(tables: Tables) -> None:
    device = tables.device(lastAuditDate="2026-11-18 11:59")
    tables.patch(device, title="of this morning", lastAuditDate="2026-11-18 06:00")
    assert [row["title"] for row in tables.ask("current_patches")] == ["of this morning"]


def test_software_of_an_older_audit_is_not_current(tables: Tables) -> None:
    device = tables.device()
    for version, audit in (("1.0", "2026-11-10"), ("2.0", "2026-11-18 12:00"), ("", None)):
        row = {"deviceUid": device, "name": "Editor", "version": version, "lastAuditDate": audit}
        tables.add("device_software", **row)
    (row,) = tables.ask("software")
    assert [row[name] for name in ("computers", "versions", "commonest_version")] == [1, 1, "2.0"]


def test_a_device_that_was_never_audited_keeps_the_rows_that_it_has(tables: Tables) -> None:
    device = tables.device(lastAuditDate=None)
    tables.add("device_software", deviceUid=device, name="Editor", version="1", lastAuditDate=None)
    assert len(tables.ask("current_software")) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-11-08", 10),
        ("2026-11-08T10:00:00Z", 10),
        ("2026-02-31", 260),  # 3 March
        ("8 November 2026", None),
        ("11/08/2026", None),
        ("0001-01-01", None),
        ("2026-13-01", None),
        ("", None),
        (None, None),
    ],
)
def test_a_release_date_of_another_form_is_an_unknown_age_and_no_error(
    tables: Tables, text: str | None, days: int | None
) -> None:
    tables.patch(tables.device(), releaseDate=text)
    assert [row["days_out"] for row in tables.ask("current_patches")] == [days]
    (critical, *_) = tables.ask("patch_ageing")
    assert (critical["missing"], critical["age_unknown"]) == (1, int(days is None))


def test_patches_of_computers_whose_state_is_unknown_stand_beside_the_ages(tables: Tables) -> None:
    tables.patch(tables.device(status="ApprovedPending"), installStatus="NOT_APPROVED")
    tables.patch(tables.device(lastSeen=LONG_AGO))
    tables.patch(tables.device(), installStatus="INSTALLED")
    tables.patch(tables.device(), severity="NEW ONE")
    ageing = {row["severity"]: row for row in tables.ask("patch_ageing")}
    assert list(ageing)[:5] == ["Critical", "Important", "Moderate", "Low", "Unspecified"]
    assert ageing["Critical"]["missing"] == 1
    assert ageing["Critical"]["approved"] == 0
    assert ageing["Critical"]["days_31_90"] == 1
    assert ageing["Critical"]["on_unknown_computers"] == 1
    assert ageing["New One"]["missing"] == 1


def test_stuck_is_what_was_approved_and_is_older_than_30_days(tables: Tables) -> None:
    stuck = tables.device(status="ApprovedPending")
    tables.patch(stuck, releaseDate="2026-10-18")
    tables.patch(stuck, releaseDate="2026-10-19")
    tables.patch(tables.device(status="ApprovedPending"), installStatus="NOT_APPROVED")
    failing = tables.device(status="InstallError")
    found = {row["device_uid"]: row["stuck_patches"] for row in tables.ask("patch_trouble")}
    assert found == {failing: 0, stuck: 1}


def test_a_site_patch_counts_once_and_as_the_newest_reading_has_it(tables: Tables) -> None:
    for status, deleted, run in (
        ("APPROVED_PENDING", None, 2),
        ("NOT_APPROVED", None, 1),  # of a run before, without deletion marks
        ("INSTALLED", "2026-11-17", 2),
    ):
        tables.add(
            "site_patches",
            siteUid="site",
            patchId="patch",
            title="Patch",
            severity="LOW",
            releaseDate="2026-11-01",
            installStatus=status,
            totalDevices=43,
            _sdc_deleted_at=deleted,
            _sdc_sync_started_at=run,
        )
    tables.device()
    (row,) = tables.ask("missing_patches")
    assert (row["computers"], row["approved"], row["days_out"]) == (43, 43, 17)


def test_an_alert_that_the_newest_run_did_not_see_again_is_not_open(tables: Tables) -> None:
    tables.device()
    source = {"siteUid": "site", "deviceUid": "device-1", "deviceName": "PC1"}
    for uid, resolved, run in (("a", False, 2), ("b", False, 1), ("c", True, 2)):
        tables.add(
            "alerts",
            alertUid=uid,
            priority="Critical",
            resolved=resolved,
            timestamp="2026-11-17",
            alertSourceInfo=source,
            alertContextClass=None,
            _sdc_sync_started_at=run,
        )
    (row,) = tables.ask("noise_by_monitor")
    assert (row["monitor"], row["alerts"], row["still_open"]) == ("(not told)", 3, 1)
    (card,) = tables.ask("scorecard")
    assert (card["urgent_alerts"], card["open_alerts"]) == (1, 1)


def test_disks_that_are_none_are_left_out(tables: Tables) -> None:
    disks: list[dict[str, Any]] = [
        {"diskIdentifier": "C:", "size": 1000, "freespace": 99, "description": "Local Fixed Disk"},
        {"diskIdentifier": "D:", "size": 1000, "freespace": 100, "description": None},
        {"diskIdentifier": "E:", "size": 1000, "freespace": 1, "description": "Removable Disk"},
        {"diskIdentifier": "F:", "size": 1000, "freespace": 1, "description": "CD-ROM Disc"},
        {"diskIdentifier": "G:", "size": None, "freespace": 0, "description": None},
        {"diskIdentifier": "H:", "size": 1000, "freespace": None, "description": None},
    ]
    for device in (tables.device(), tables.device(lastSeen=LONG_AGO)):
        tables.add("device_audits", deviceUid=device, lastAuditDate=NOW, logicalDisks=disks)
    assert [row["disk"] for row in tables.ask("full_disks")] == ["C:"]


@pytest.mark.parametrize(
    ("audits", "days_apart", "fall", "days"),
    [
        (8, 3, 10, 90),  # 10 of 1,000 a day; 300 are left
        (6, 5, 10, None),  # too few
        (8, 1, 10, None),  # too short
        (8, 3, 0, None),  # not falling
    ],
)
def test_a_forecast_needs_enough_audits_and_a_line(
    tables: Tables, audits: int, days_apart: int, fall: int, days: int | None
) -> None:
    device = tables.device()
    for ago in range(0, audits * days_apart, days_apart):
        disk = {"diskIdentifier": "C:", "size": 10_000, "freespace": 900 + ago * fall}
        audit = datetime.fromisoformat(NOW) - timedelta(days=ago)
        row = {"deviceUid": device, "lastAuditDate": audit, "logicalDisks": [disk]}
        tables.add("disks_by_audit", **row)
        if not ago:
            tables.add("device_audits", **row)
    (found,) = tables.ask("full_disks")
    assert found["days_to_full"] == days


def test_warranties_are_counted_from_today_to_90_days(tables: Tables) -> None:
    for day in ("2026-11-17", "2026-11-18", "2027-02-16", "2027-02-17", None):
        tables.device(warrantyDate=day)
    assert [row["state"] for row in tables.ask("warranty")] == ["ended", "ends soon", "ends soon"]
    (card,) = tables.ask("scorecard")
    counts = [card[f"warranty_{state}"] for state in ("ended", "ending", "unknown")]
    assert counts == [1, 2, 1]


def test_a_device_without_a_site_is_in_the_scorecard_too(tables: Tables) -> None:
    tables.device(siteUid=None, siteName=None)
    tables.device(siteUid="gone", siteName="Old customer")
    found = {row["site"]: row["computers"] for row in tables.ask("scorecard")}
    assert found == {"(site without a name)": 1, "Old customer": 1}


@pytest.mark.parametrize(
    "absent",
    [
        ("devices_daily", "disks_by_audit", "patches_daily"),
        ("device_patches", "site_patches"),
        ("alerts", "device_audits", "device_software"),
    ],
    ids=["no history", "no patches", "nothing but devices and sites"],
)
def test_streams_that_were_not_loaded_are_empty_and_found_once_they_are(
    tables: Tables, absent: tuple[str, ...]
) -> None:
    tables.reset(*absent)
    tables.device()
    for name in questions():
        tables.ask(name)
    assert len(tables.ask("trend_computers")) == 1
    with tables.postgres.connect() as connection:
        for stream in absent:
            made = f"CREATE TABLE datto_rmm.{stream} (LIKE datto_answers_absent.{stream})"
            connection.execute(made.encode())
    tables.install()
    with tables.postgres.connect() as connection:
        left = connection.execute(
            "SELECT refobjid::regclass::text FROM pg_depend"
            " WHERE deptype = 'n' AND refobjid::regclass::text LIKE 'datto_answers_absent.%'"
        ).fetchall()
    assert left == []


def test_no_history_is_a_trend_of_today_and_an_unknown_backlog(tables: Tables) -> None:
    tables.device()
    tables.device(status="ApprovedPending")
    (row,) = tables.ask("trend_computers")
    assert (str(row["day"]), row["compliance"]) == ("2026-11-18", 50)
    assert tables.ask("trend_patches") == []


def test_what_no_stream_told_is_null_in_the_scorecard_and_not_0(tables: Tables) -> None:
    tables.device()
    (row,) = tables.ask("scorecard")
    unknown = {name for name, value in row.items() if value is None}
    assert unknown == {
        "severe_patches",
        "severe_computers",
        "full_disks",
        "urgent_alerts",
        "open_alerts",
    }


def test_psql_installs_them_into_a_database_whose_tables_are_in_another_schema(
    tables: Tables,
) -> None:
    tables.device()
    tables.uninstall()
    with tables.postgres.connect() as connection:
        connection.execute("DROP SCHEMA IF EXISTS datto_acme CASCADE")
        connection.execute("ALTER SCHEMA datto_rmm RENAME TO datto_acme")
    file = str(VIEWS / "install.sql")
    command = [str(psql()), "-v", "source=datto_acme", "-f", file, tables.postgres.uri]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert [row["computers"] for row in tables.ask("scorecard")] == [1]


def test_tables_that_accounts_share_have_no_answers_until_each_has_its_own(tables: Tables) -> None:
    tables.device()
    with tables.postgres.connect() as connection:
        connection.execute("ALTER TABLE datto_rmm.devices ADD \"accountUid\" text DEFAULT 'one'")
    tables.install()  # one account may well have the column
    tables.device(accountUid="two")
    with pytest.raises(psycopg.errors.RaiseException, match="holds 2 accounts"):
        tables.install()


def test_missing_patches_are_found_by_an_index(tables: Tables) -> None:
    for _ in range(2):
        tables.install()
    with tables.postgres.connect() as connection:
        connection.execute("SET enable_seqscan = off")  # for so few rows no index would be used
        for view in ("patch_ageing", "patch_trouble", "scorecard"):
            query = sql.SQL("EXPLAIN SELECT * FROM {}")
            plan = connection.execute(query.format(sql.Identifier("datto_answers", view)))
            assert "device_patches_missing" in str(plan.fetchall())


def test_who_may_only_read_the_tables_has_the_answers_without_it(tables: Tables) -> None:
    tables.patch(tables.device(status="ApprovedPending"))
    tables.uninstall()
    with tables.postgres.connect() as connection:
        connection.execute("DROP INDEX datto_rmm.device_patches_missing")
        connection.execute("DROP ROLE IF EXISTS analyst")
        connection.execute("CREATE ROLE analyst")
        connection.execute("GRANT CREATE ON DATABASE warehouse TO analyst")
        connection.execute("GRANT USAGE ON SCHEMA datto_rmm TO analyst")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA datto_rmm TO analyst")
        connection.execute("SET ROLE analyst")
        install(connection)
        connection.execute("RESET ROLE")
        missing = connection.execute("SELECT sum(missing) FROM datto_answers.patch_ageing")
        assert missing.fetchall() == [(1,)]
        connection.execute("DROP OWNED BY analyst CASCADE")
        connection.execute("DROP ROLE analyst")


def test_a_view_may_stand_for_the_table_of_patches(tables: Tables) -> None:
    tables.patch(tables.device(status="ApprovedPending"))
    tables.uninstall()
    with tables.postgres.connect() as connection:
        connection.execute("ALTER TABLE datto_rmm.device_patches RENAME TO patches_of_one")
        view = "CREATE VIEW datto_rmm.device_patches AS SELECT * FROM datto_rmm.patches_of_one"
        connection.execute(view.encode())
        install(connection)
    assert sum(row["missing"] for row in tables.ask("patch_ageing")) == 1


def test_every_file_is_installed_and_named_after_its_view() -> None:
    files = {path.stem for path in VIEWS.glob("*.sql")} - {"install"}
    assert files == set(questions())
    for path in VIEWS.rglob("*.sql"):
        if path.stem not in {"install", "one_account", "absent_streams", "indexes", "definitions"}:
            assert f"VIEW datto_answers.{path.stem} AS" in path.read_text(encoding="utf-8")
