"""The page: one file, right in its numbers, safe whatever a customer is called."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from demo import report
from demo.page.data import collect
from demo.page.limits import COVER, PATCHED, RESTART, Tone, totals, worst_first
from demo.pipeline import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.answers.tables import Tables

NASTY = "<script>alert(\"1\")</script> & 'Söhne' <b onmouseover=x>"
NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 - UTC without saying so, as in the database


class Reader(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "line", "polyline"}:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in {"line", "polyline"}:
            assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def fill(tables: Tables) -> None:
    """Two sites, one of them in trouble."""
    tables.add("sites", uid="nasty", name=NASTY, onDemand=False)
    tables.add("sites", uid="on-demand", name="Break-fix", onDemand=True)
    for _ in range(10):
        tables.device()
    tables.device(siteUid="on-demand")
    for status in ("FullyPatched", "ApprovedPending", "InstallError", "NoData"):
        device = tables.device(siteUid="nasty", hostname=NASTY, status=status, rebootRequired=True)
        tables.patch(device)
    tables.device(siteUid="nasty", lastSeen="2026-10-01")
    disk = {"diskIdentifier": "<C:>", "size": 1000, "freespace": 10}
    tables.add("device_audits", deviceUid=device, lastAuditDate=NOON, logicalDisks=[disk])
    tables.add("device_software", deviceUid=device, name=NASTY, version="", lastAuditDate=NOON)
    source = {"siteUid": "nasty", "deviceUid": device, "deviceName": NASTY}
    tables.add(
        "alerts",
        alertUid="alert",
        priority="Critical",
        resolved=False,
        timestamp=NOON,
        alertSourceInfo=source,
        alertContextClass=f"{NASTY}_ctx",
        _sdc_sync_started_at=1,
    )


@pytest.fixture
def page(tables: Tables) -> str:
    fill(tables)
    return report.render(collect(tables.postgres.uri), NOON)


def test_it_is_one_file_without_script_address_or_font(page: str) -> None:
    found = Reader(page)
    assert not set(found.tags) & {"script", "link", "img", "iframe", "object", "a", "base", "form"}
    assert not [name for name, _ in found.attributes if name in {"src", "href", "srcset"}]
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not re.search(r"//|url\(|@import|@font-face", page.replace(NASTY, ""))
    assert len(page.encode()) < 100_000


def test_names_are_text_and_nothing_else(page: str) -> None:
    found = Reader(page)
    assert found.open == []
    assert NASTY in found.texts
    assert "<C:>" in found.texts
    assert "<script" not in page


def test_a_number_is_the_same_wherever_it_stands(tables: Tables, page: str) -> None:
    fleet = collect(tables.postgres.uri)
    total = totals(fleet["scorecard"])
    assert total["compliance"] == 84  # 11 of 13; 2 are not known, 1 is on demand
    tiles = re.findall(r'class="tile"><b[^>]*>([^<]*)</b>', page)
    assert tiles == ["84 %", "3", "100 %", "0", "4", "1", "1", "0"]
    foot = page.partition("<tfoot>")[2].partition("</tfoot>")[0]
    cells = re.findall(r"<td[^>]*><span>([^<]*)</span>", foot)
    assert cells == ["All sites", "16", "84 %", "3", "100 %", "0", "4", "1", "1", "0", "1"]
    assert "2 unknown" in foot


def test_what_is_on_demand_or_unknown_says_so_in_grey(page: str) -> None:
    rows = page.partition("<tbody>")[2].split("<tr>")
    (row,) = [row for row in rows if "Break-fix" in row and "data-head" in row]
    assert '<td class="number share unknown" data-head="patched"><span>on demand</span>' in row


def test_without_history_or_a_stream_it_says_what_is_missing(tables: Tables) -> None:
    tables.device()
    page = report.render(collect(tables.postgres.uri), NOON)
    assert "There is no history yet" in page
    assert "needs the stream device_patches" in page
    assert "needs the stream device_audits" in page


def test_an_empty_database_is_a_page_too(tables: Tables) -> None:
    page = report.render(collect(tables.postgres.uri), NOON)
    assert "There are no computers" in page


def test_a_pipeline_that_stopped_is_told(tables: Tables) -> None:
    tables.device()
    fleet = collect(tables.postgres.uri)
    assert "does the pipeline run?" not in report.render(fleet, datetime(2026, 11, 20, 11))  # noqa: DTZ001
    page = report.render(fleet, datetime(2026, 11, 24, 12))  # noqa: DTZ001
    assert "Nothing has been read for 6 days: does the pipeline run?" in page


def site(**given: Any) -> dict[str, Any]:
    """A site of ten computers in which all is well."""
    counts = dict.fromkeys(
        ("severe_computers", "unsupported", "restart_due", "silent", "full_disks"), 0
    )
    return {
        "site": "A",
        "computers": 10,
        "patch_known": 10,
        "patched": 10,
        "compliance": 100,
        "antivirus_known": 10,
        "covered": 10,
        "cover": 100,
        "warranty_ending": 0,
        "urgent_alerts": 0,
        **counts,
        **given,
    }


@pytest.mark.parametrize(
    ("row", "tone"),
    [
        (site(), Tone.PLAIN),
        (site(patched=9), Tone.AMBER),
        (site(patched=8), Tone.AMBER),
        (site(patched=7), Tone.RED),
        (site(patched=0, patch_known=1), Tone.AMBER),  # one alone turns nothing red
        (site(patched=0, patch_known=2), Tone.RED),
        (site(patched=0, patch_known=0, compliance=None), Tone.UNKNOWN),
    ],
)
def test_colour_marks_what_is_out_of_line_for_the_size_of_the_site(
    row: dict[str, Any], tone: Tone
) -> None:
    assert PATCHED.tone(row) == tone


def test_sites_stand_worst_first_and_of_equals_the_larger_first() -> None:
    rows = [
        site(site="well"),
        site(site="amber", restart_due=1),
        site(site="red", covered=2),
        site(site="large and amber", computers=100, restart_due=5),
    ]
    names = [row["site"] for row in worst_first(rows)]
    assert names == ["red", "large and amber", "amber", "well"]
    assert (RESTART.tone(rows[1]), COVER.tone(rows[2])) == (Tone.AMBER, Tone.RED)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "demo" / "report.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_command_writes_the_page(tables: Tables, tmp_path: Path) -> None:
    fill(tables)
    file = tmp_path / "fleet.html"
    done = run(tables.postgres.uri, str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_command_says_in_a_line_what_is_wrong(tables: Tables, tmp_path: Path) -> None:
    with tables.postgres.connect() as connection:
        connection.execute("DROP SCHEMA datto_answers CASCADE")
    wrong = {
        tables.postgres.uri: "install the answers: psql -f sql/answers/install.sql",
        "postgresql://nobody:secret@127.0.0.1:1/none": "report: ",
        "not a uri": "report: ",
    }
    for uri, told in wrong.items():
        done = run(uri, str(tmp_path / "fleet.html"))
        assert done.returncode == 1
        assert told in done.stderr
        assert len(done.stderr.splitlines()) <= 2
        assert "secret" not in done.stderr
