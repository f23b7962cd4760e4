"""What a probe fills paths with: the smallest site, a device of each class, a job.

The values come from the answers to other paths. They stay here, and are never told.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES: Final = "/v2/account/sites"
DEVICES: Final = "/v2/account/devices"
LOG: Final = "/v2/activity-logs"
SYSTEM_SITE: Final = "Deleted Devices"
"""What is asked below it fails (docs/datto-rmm-api.md §5)."""

CLASSES: Final = {"/v2/audit/esxihost/": "esxihost", "/v2/audit/printer/": "printer"}
"""Paths that only devices of one class answer; all others are asked for a `device`."""

JOBS: Final = "/v2/job/"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_NO_HEX: Final = re.compile(r"[^0-9A-Fa-f]")


class PathValues:
    """Values for the parameters of paths, found in the answers."""

    def __init__(self) -> None:
        """Know none."""
        self._values: dict[str, str] = {}

    def fill(self, path: str) -> str | None:
        """Fill in a path; None where a value is not known."""
        names = {name: self._name_of(path, name) for name in _PARAMETER.findall(path)}
        if not self._values.keys() >= set(names.values()):
            return None
        return path.format_map(
            {name: quote(self._values[known], safe="") for name, known in names.items()}
        )

    def lacking(self, path: str) -> str:
        """Say what an account lacks that a path cannot be asked for."""
        wanted = [self._name_of(path, name) for name in _PARAMETER.findall(path)]
        return ", ".join(name for name in wanted if name not in self._values)

    def learn(self, path: str, answer: Any) -> None:
        """Take values out of an answer.

        Args:
            path: as it stands in the description.
            answer: what it answered.
        """
        rows = list(_rows(answer))
        if path == SITES:
            self._learn_site(rows)
        elif path == DEVICES:
            self._learn_devices(rows)
        elif path == LOG:
            for row in rows:
                self._learn_job(row.get("details"))
        elif "/alerts/" in path:
            for row in rows:
                self._keep("alertUid", row.get("alertUid"))
        elif path.endswith("/network-interface"):
            for row in rows:
                for card in _rows(row.get("nics")):
                    self._keep("macAddress", _NO_HEX.sub("", str(card.get("macAddress") or "")))

    def _learn_site(self, rows: list[dict[str, Any]]) -> None:
        def devices(row: dict[str, Any]) -> tuple[bool, int]:
            status = row.get("devicesStatus")
            number = status.get("numberOfDevices") if isinstance(status, dict) else None
            known = number if isinstance(number, int) else 0
            return known == 0, known  # one with devices has more to say

        real = [row for row in rows if row.get("name") != SYSTEM_SITE]
        for row in sorted(real, key=devices):
            self._keep("siteUid", row.get("uid"))

    def _learn_devices(self, rows: list[dict[str, Any]]) -> None:
        for row in sorted(rows, key=lambda row: not row.get("lastAuditDate")):
            self._keep(f"deviceUid of class {row.get('deviceClass')}", row.get("uid"))
            self._keep("deviceId", row.get("id"))

    def _learn_job(self, details: object) -> None:
        try:
            told = json.loads(str(details))
        except ValueError:
            return
        if isinstance(told, dict) and told.get("job.uid") and told.get("device.uid"):
            if "jobUid" not in self._values:
                self._keep("deviceUid of a job", told["device.uid"])
            self._keep("jobUid", told["job.uid"])

    def _keep(self, name: str, value: object) -> None:
        """Keep the first value of a name."""
        if isinstance(value, str | int) and str(value):
            self._values.setdefault(name, str(value))

    @staticmethod
    def _name_of(path: str, parameter: str) -> str:
        if parameter != "deviceUid":
            return parameter
        if path.startswith(JOBS):
            return "deviceUid of a job"
        of_class = next((name for start, name in CLASSES.items() if path.startswith(start)), None)
        return f"deviceUid of class {of_class or 'device'}"


def _rows(answer: object) -> Iterator[dict[str, Any]]:
    """The objects of a list, whatever it is called."""
    lists = [answer] if isinstance(answer, list) else []
    if isinstance(answer, dict):
        lists = [member for member in answer.values() if isinstance(member, list)]
    for members in lists[:1]:
        yield from (row for row in members if isinstance(row, dict))
