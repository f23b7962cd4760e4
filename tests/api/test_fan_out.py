"""Parents: what a run remembers of the devices is what its streams ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tap_datto_rmm.api.fan_out import PARENTS, devices_in_demand
from tap_datto_rmm.api.inventory import Device

if TYPE_CHECKING:
    from tap_datto_rmm.tap import TapDattoRMM

DATES = st.integers(0, 9).map(lambda day: f"2026-11-0{day}T00:00:00.000000+00:00")
DEVICES = st.lists(
    st.builds(
        Device,
        uid=st.uuids().map(str),
        device_class=st.sampled_from(["device", "printer", "esxihost", "unknown", ""]),
        last_audit=st.none() | DATES,
    )
)
ASKED = st.lists(
    st.tuples(
        st.sampled_from([None, "sites", "devices", "computers", "printers", "esxi_hosts", "jobs"]),
        st.none() | DATES,
    )
)


class _Tap:
    """A tap whose account has these devices."""

    def __init__(self, found: list[Device]) -> None:
        self.inventory = self
        self._found = found

    def devices(self, device_class: str | None = None) -> list[Device]:
        return [d for d in self._found if device_class in {None, d.device_class}]


def asked_for(found: list[Device], parent: str, since: str | None) -> list[Any]:
    return list(PARENTS[parent](cast("TapDattoRMM", _Tap(found)), since))


@given(DEVICES, ASKED)
def test_no_stream_misses_a_device_that_is_not_remembered(
    found: list[Device], asked: list[tuple[str | None, str | None]]
) -> None:
    kept = list(filter(devices_in_demand(asked), found))
    of_devices = [
        (p, s) for p, s in asked if p in {"devices", "computers", "printers", "esxi_hosts"}
    ]
    wanted = set()
    for parent, since in of_devices:
        parents = asked_for(found, str(parent), since)
        assert asked_for(kept, str(parent), since) == parents
        wanted |= {parent.columns["deviceUid"] for parent in parents}
    assert {device.uid for device in kept} == wanted
