"""How well patched the computers are, what is missing, what fails."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.questions.fleet import (
    KNOWN_STATES,
    PATCH_STATES,
    computer_columns,
    percent,
    site_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datto_rmm_sandbox.questions.fleet import Fleet
    from datto_rmm_sandbox.records import Row

STUCK_DAYS = 30
AGES = {"days_0_14": 14, "days_15_30": 30, "days_31_90": 90}


def patch_compliance(fleet: Fleet) -> Iterator[Row]:
    """Computers by patch state, a row for each site."""
    for devices in fleet.by_site.values():
        states = Counter(fleet.patch_state(device) for device in devices)
        total = sum(states[state] for state in KNOWN_STATES)
        yield {
            **site_columns(devices[0].site),
            "computers": len(devices),
            **{state.replace(" ", "_"): states[state] for state in PATCH_STATES.values()},
            "not_seen": states["not seen"],
            "not_patchable": states["not patchable"],
            "known": total,
            "compliance": percent(states["patched"], total),
        }


def patch_ageing(fleet: Fleet) -> Iterator[Row]:
    """Missing patches by severity and age."""
    found: dict[str, Counter[str]] = {line.severity: Counter() for line in known.PATCH_LINES}
    holders: dict[str, set[str]] = defaultdict(set)
    for device in fleet.computers:
        for row, approved, age in fleet.missing(device):
            counts = found[row["severity"]]
            if not fleet.is_counted(device):
                counts["on_unknown_computers"] += 1
                continue
            holders[row["severity"]].add(device.uid)
            counts["missing"] += 1
            counts["approved"] += approved
            counts[_bucket(age)] += 1
    columns = (*AGES, "days_over_90", "age_unknown", "missing", "approved", "on_unknown_computers")
    for severity, counts in found.items():
        yield {
            "severity": severity.title(),
            **{column: counts[column] for column in columns},
            "computers": len(holders[severity]),
        }


def _bucket(age: int | None) -> str:
    if age is None:
        return "age_unknown"
    return next((name for name, most in AGES.items() if age <= most), "days_over_90")


def patch_trouble(fleet: Fleet) -> Iterator[Row]:
    """Computers that fail, or do not install what has been approved and out for long."""
    for device in fleet.computers:
        stuck = [
            row["releaseDate"]
            for row, approved, age in fleet.missing(device)
            if approved and age is not None and age > STUCK_DAYS
        ]
        state = fleet.patch_state(device)
        if state == "failing" or (stuck and state in KNOWN_STATES):
            yield {
                **computer_columns(device),
                "patch_state": state,
                "stuck_patches": len(stuck),
                "oldest_release": min(stuck, default=None),
            }


def missing_patches(fleet: Fleet) -> Iterator[Row]:
    """Missing patches by the number of computers, whatever their state."""
    found: dict[str, Row] = {}
    sites: dict[str, set[str]] = defaultdict(set)
    for site in fleet.account.listed_sites():
        for device in site.devices.values():
            for row, approved, age in fleet.missing(device):
                entry = found.setdefault(
                    row["patchId"],
                    {
                        "patch_id": row["patchId"],
                        "title": row["title"],
                        "severity": row["severity"].title(),
                        "released": row["releaseDate"],
                        "days_out": age,
                        "computers": 0,
                        "approved": 0,
                    },
                )
                entry["computers"] += 1
                entry["approved"] += approved
                sites[row["patchId"]].add(site.uid)
    for patch, entry in found.items():
        yield {**entry, "sites": len(sites[patch])}
