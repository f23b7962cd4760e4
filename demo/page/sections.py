"""The parts of the page, from the eight numbers at its head to the tables at its foot."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from demo.page import charts
from demo.page.data import SHOWN
from demo.page.limits import (
    COVER,
    DISKS,
    MEASURES,
    PATCHED,
    RESTART,
    SEVERE,
    SILENT,
    UNSUPPORTED,
    WARRANTY,
    Measure,
    Tone,
    shown,
    totals,
    worst_first,
)
from demo.page.markup import NOTHING, Column, Html, card, join, note, number, table, tag, text
from demo.page.words import DASH, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.page.data import Fleet, Row

SITES_SHOWN: Final = 20
BARS_SHOWN: Final = 15
HALF: Final = 6
"""Rows of a table that shares its card with another."""
SEVERE_NAMES: Final = {"Critical", "Important"}
TILES: Final = {
    PATCHED: "of {patch_known} computers are fully patched",
    SEVERE: "computers have lacked a critical or important patch for more than 30 days "
    "({severe_patches} patches)",
    COVER: "of {antivirus_known} computers run an up-to-date antivirus",
    UNSUPPORTED: "computers run a system that is out of support",
    RESTART: "computers wait for a restart",
    SILENT: "agents have been silent for 14 days or more",
    DISKS: "disks have less than a tenth free{filling}",
    WARRANTY: "warranties end within 90 days; {warranty_ended} have ended",
}
SITE: Final = Column("site", "site", kind="name wide")
COMPUTER: Final = Column(
    "computer",
    "computer",
    kind="name",
    beside=lambda row: row["site"],
    beside_kind="narrow",
)
MONITORS: Final = {
    "comp_script": "component",
    "custom_snmp": "SNMP",
    "eventlog": "event log",
    "fs_object": "file or folder",
    "online_offline_status": "online status",
    "perf_disk_usage": "disk usage",
    "perf_mon": "performance counter",
    "perf_resource_usage": "CPU or memory",
    "process_resource_usage": "process resources",
    "process_status": "process status",
    "sec_management": "security",
    "srvc_resource_usage": "service resources",
    "srvc_status": "service status",
    "sw_action": "software change",
    "wmi": "WMI",
}
"""Kinds of monitors as people call them; another one by its own name."""
SUPPORT_TONES: Final = {
    "out of support": Tone.RED,
    "ends within a year": Tone.AMBER,
    "unknown": Tone.UNKNOWN,
}


def tiles(fleet: Fleet) -> Html:
    """The eight numbers of the whole account."""
    total = totals(fleet["scorecard"])
    filling = sum(not row["is_nearly_full"] for row in fleet["full_disks"])
    counts = {name: words(value) for name, value in total.items()}
    counts["filling"] = f"; {filling:,} more will be full within 60 days" if filling else ""
    found = [_tile(measure, total, about.format(**counts)) for measure, about in TILES.items()]
    return tag("div", *found, class_="tiles")


def _tile(measure: Measure, total: Row, about: str) -> Html:
    if total[measure.column] is None and measure.needs:
        about = f"{measure.title}: needs the stream {measure.needs}"
    value = text(shown(measure, total))
    parts = [tag("b", value, class_=measure.tone(total).value), tag("span", text(about))]
    if unknown := _unknown(measure, total):
        parts.append(tag("span", text(unknown), class_="unknown"))
    return tag("div", *parts, class_="tile")


def _unknown(measure: Measure, row: Row) -> str:
    count = row[measure.unknown] if measure.unknown else 0
    return f"{words(count)} unknown" if count else ""


def scorecard(fleet: Fleet) -> Html:
    """One row a site, worst first, with the whole account at its foot."""
    sites = worst_first(fleet["scorecard"])
    columns = [
        Column("site", "site", kind="name"),
        number("computers", "computers"),
        *(_measured(measure) for measure in MEASURES),
    ]
    foot = {"site": "All sites", **totals(sites)}
    return card(
        "Which site needs attention?",
        "Worst first. Red and amber mark what is out of line for the size of the site.",
        table(columns, sites[:SITES_SHOWN], foot=foot, class_="scorecard"),
        _more(sites, SITES_SHOWN, "scorecard"),
        class_="wide",
    )


def _measured(measure: Measure) -> Column:
    """A column of the scorecard; what is unknown of each site stands where a share needs it."""

    def unknown(row: Row) -> str:
        is_total = "site_uid" not in row
        return _unknown(measure, row) if measure.is_percent or is_total else ""

    return Column(
        measure.title,
        partial(shown, measure),
        tone=measure.tone,
        kind="number share" if measure.is_percent else "number",
        beside=unknown,
    )


def patch_state(fleet: Fleet) -> Html:
    """A bar for each of the sites with most computers to patch."""
    sites = [
        {**row, "patch_unknown": row["not_seen"] + row["no_data"] + row["no_policy"]}
        for row in fleet["patch_compliance"]
        if row["computers"] > row["not_patchable"]
    ]
    most = sorted(sites, key=lambda row: row["patched"] - row["known"])[:BARS_SHOWN]
    return card(
        "Patch state by site",
        "Share of fully patched computers among those whose state is known. Unknown: no policy, "
        "no data, or not seen for 30 days.",
        charts.patch_bars([row for row in sites if row in most]),
        _more(sites, BARS_SHOWN, "patch_compliance"),
    )


def trend(fleet: Fleet) -> Html:
    """The last weeks."""
    days = fleet["trend_computers"]
    few = len(days) < 2  # noqa: PLR2004 - a line has two ends
    return card(
        "The last weeks",
        "There is no history yet: docs/answers.md tells how to keep one."
        if few
        else "Fully patched computers, and those with an up-to-date antivirus, day by day.",
        *(() if few else (charts.trend_lines(days),)),
    )


def alerts(fleet: Fleet) -> Html:
    """Alerts by week."""
    return card(
        "Alerts a week",
        "By the day on which they were opened; the last week is not over.",
        charts.week_columns(fleet["trend_alerts"]),
    )


def ageing(fleet: Fleet) -> Html:
    """Missing patches by severity and age."""
    rows = fleet["patch_ageing"]

    def aged(row: Row) -> Tone:
        return Tone.RED if row["severity"] in SEVERE_NAMES else Tone.PLAIN

    columns = [
        Column("severity", "severity"),
        number(f"0{DASH}14 days", "days_0_14"),
        number(f"15{DASH}30", "days_15_30"),
        number(
            f"31{DASH}90", "days_31_90", lambda row: aged(row) if row["days_31_90"] else Tone.PLAIN
        ),
        number(
            "over 90", "days_over_90", lambda row: aged(row) if row["days_over_90"] else Tone.PLAIN
        ),
        number("no date", "age_unknown", lambda _: Tone.UNKNOWN),
        number("all", "missing"),
    ]
    beside = sum(row["on_unknown_computers"] for row in rows)
    return card(
        "How long have patches been missing?",
        "Patches that are not installed, approved or not, by severity and days since release.",
        table(columns, rows),
        note(f"{words(beside)} more on computers whose patch state is unknown.")
        if beside
        else NOTHING,
    )


def trouble(fleet: Fleet) -> Html:
    """Computers that do not get patched."""
    columns = [
        SITE,
        COMPUTER,
        Column(
            "state",
            "patch_state",
            lambda row: Tone.RED if row["patch_state"] == "failing" else Tone.PLAIN,
        ),
        number("stuck patches", "stuck_patches"),
        number("oldest", "oldest_release"),
    ]
    return _listed(
        fleet,
        "patch_trouble",
        "Where do patches fail or get stuck?",
        "Install errors, and approved patches that have been out for more than 30 days.",
        columns,
    )


def noise(fleet: Fleet) -> Html:
    """Alerts by kind of monitor."""
    columns = [
        Column("kind of monitor", lambda row: MONITORS.get(row["monitor"], row["monitor"])),
        number("alerts", "alerts"),
        number("urgent", "urgent"),
        Column("devices", "devices", kind="number wide"),
        number("tickets", "tickets"),
        number("still open", "still_open"),
        number("median hours", "median_hours"),
    ]
    return _listed(
        fleet, "noise_by_monitor", "What makes the noise?", "Alerts of the last 30 days.", columns
    )


def noisy_devices(fleet: Fleet) -> Html:
    """Alerts by device."""
    columns = [
        SITE,
        replace(COMPUTER, head="device", value="device"),
        number("alerts", "alerts"),
        number("urgent", "urgent"),
        number("tickets", "tickets"),
    ]
    return _listed(
        fleet,
        "noise_by_device",
        "Which devices make the noise?",
        "Those with the most alerts of the last 30 days.",
        columns,
    )


def systems(fleet: Fleet) -> Html:
    """Operating systems that are out of support or will be."""
    rows = [row for row in fleet["unsupported_systems"] if row["state"] != "supported"]
    columns = [
        Column(
            "system",
            lambda row: row["operating_system"].removeprefix("Microsoft "),
            kind="name",
        ),
        number("support ends", "support_ends", lambda row: SUPPORT_TONES[row["state"]]),
        number("computers", "computers"),
        number("sites", "sites"),
    ]
    return card(
        "Which systems are out of support?",
        "Or will be within a year. Where the vendor publishes no date, it is unknown.",
        table(columns, rows[:SHOWN]),
        _more(rows, SHOWN, "unsupported_systems"),
    )


def disks(fleet: Fleet) -> Html:
    """Disks that are nearly full, and disks that fill up."""
    full = [row for row in fleet["full_disks"] if row["is_nearly_full"]]
    filling = [row for row in fleet["full_disks"] if not row["is_nearly_full"]]
    filling.sort(key=lambda row: row["days_to_full"])
    columns = [
        SITE,
        COMPUTER,
        Column("disk", "disk", kind="path"),
        number("GiB", lambda row: round(row["size_gib"])),
        number("free %", "free_percent"),
        number("full in days", "days_to_full"),
    ]
    parts = []
    for rows, about in (
        (full, "Less than a tenth is free:"),
        (filling, "Full within 60 days, if they go on filling as in the last weeks:"),
    ):
        if rows:
            parts += [note(about), table(columns, rows[:HALF]), _more(rows, HALF, "full_disks")]
    return card("Which disks are full, or will be?", "", *(parts or [note("None.")]))


def silent(fleet: Fleet) -> Html:
    """Agents that are not heard of."""
    columns = [
        SITE,
        COMPUTER,
        Column("kind", "kind"),
        number("last seen", "last_seen"),
        number("days", "days_silent"),
    ]
    return _listed(
        fleet,
        "silent_agents",
        "Which agents are silent?",
        "Not heard of for 14 days or more.",
        columns,
    )


def restarts(fleet: Fleet) -> Html:
    """Computers that wait for a restart."""
    columns = [
        SITE,
        COMPUTER,
        number("last restart", "last_restart"),
        number("days", "days_since_restart"),
    ]
    return _listed(
        fleet,
        "restart_due",
        "Which computers wait for a restart?",
        "Longest without one first.",
        columns,
    )


def warranties(fleet: Fleet) -> Html:
    """Warranties that end soon."""
    rows = [row for row in fleet["warranty"] if row["state"] == "ends soon"]
    columns = [
        SITE,
        COMPUTER,
        Column("kind", "kind"),
        number("ends", "warranty_ends"),
        number("days", "days_left"),
    ]
    return card(
        "Whose warranty ends?",
        "Within 90 days.",
        table(columns, rows[:SHOWN]),
        _more(rows, SHOWN, "warranty"),
    )


def software(fleet: Fleet) -> Html:
    """Software on most computers."""
    columns = [
        Column("software", "name", kind="name"),
        number("computers", "computers"),
        number("versions", "versions"),
        number("commonest version", "commonest_version"),
    ]
    return _listed(
        fleet,
        "software",
        "Which software is everywhere?",
        "Of each computer's newest audit.",
        columns,
    )


def _listed(fleet: Fleet, name: str, title: str, about: str, columns: Sequence[Column]) -> Html:
    """A card with the first rows of an answer."""
    rows = fleet[name]
    if not rows:
        return card(title, about, note("None."))
    return card(title, about, table(columns, rows[:SHOWN]), _more(rows, SHOWN, name))


def _more(rows: Sequence[Row], most: int, name: str) -> Html:
    hidden = len(rows) - most
    return note(f"{hidden:,} more in datto_answers.{name}") if hidden > 0 else NOTHING


def everything(fleet: Fleet) -> Html:
    """All parts in the order in which an owner reads them."""
    cards = (
        patch_state,
        trend,
        alerts,
        ageing,
        trouble,
        noise,
        noisy_devices,
        systems,
        disks,
        silent,
        restarts,
        warranties,
        software,
    )
    return join(
        [
            tiles(fleet),
            scorecard(fleet),
            tag("div", *(section(fleet) for section in cards), class_="cards"),
        ]
    )
