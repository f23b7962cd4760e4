"""Streams that are asked for device by device, after each audit of it."""

from __future__ import annotations

from tap_datto_rmm.api.fan_out import COMPUTERS, ESXI_HOSTS, PRINTERS
from tap_datto_rmm.streams.fan_out_stream import FanOutStream


class DeviceAuditsStream(FanOutStream):
    """Hardware audits of computers."""

    name = "device_audits"
    path = "/v2/audit/device/{deviceUid}"
    component = "DeviceAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    fan_out = COMPUTERS
    parent_columns = ("deviceUid", "lastAuditDate")


class DeviceSoftwareStream(FanOutStream):
    """Software found on computers."""

    name = "device_software"
    path = "/v2/audit/device/{deviceUid}/software"
    component = "Software"
    primary_keys = ("deviceUid", "name", "version")
    replication_key = "lastAuditDate"
    fan_out = COMPUTERS
    parent_columns = ("deviceUid", "lastAuditDate")


class EsxiHostAuditsStream(FanOutStream):
    """Audits of ESXi hosts, with guests and datastores."""

    name = "esxi_host_audits"
    path = "/v2/audit/esxihost/{deviceUid}"
    component = "ESXiHostAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    fan_out = ESXI_HOSTS
    parent_columns = ("deviceUid", "lastAuditDate")


class PrinterAuditsStream(FanOutStream):
    """Audits of printers, with supplies."""

    name = "printer_audits"
    path = "/v2/audit/printer/{deviceUid}"
    component = "PrinterAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    fan_out = PRINTERS
    parent_columns = ("deviceUid", "lastAuditDate")


class DevicePatchesStream(FanOutStream):
    """Patches of each computer."""

    name = "device_patches"
    path = "/v2/device/{deviceUid}/patches"
    component = "Patch"
    primary_keys = ("deviceUid", "patchId")
    replication_key = "lastAuditDate"
    fan_out = COMPUTERS
    parent_columns = ("deviceUid", "lastAuditDate")
    selected_by_default = False
