"""Streams that are asked for device by device, after each audit of it."""

from __future__ import annotations

from tap_datto_rmm.streams.base import DattoStream


class DeviceAuditsStream(DattoStream):
    """Hardware audits of computers."""

    name = "device_audits"
    path = "/v2/audit/device/{deviceUid}"
    component = "DeviceAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    parent = "computers"
    follows = "lastAuditDate"
    adds = ("deviceUid", "lastAuditDate")


class DeviceSoftwareStream(DattoStream):
    """Software found on computers."""

    name = "device_software"
    path = "/v2/audit/device/{deviceUid}/software"
    component = "Software"
    primary_keys = ("deviceUid", "name", "version")
    replication_key = "lastAuditDate"
    parent = "computers"
    follows = "lastAuditDate"
    adds = ("deviceUid", "lastAuditDate")


class EsxiHostAuditsStream(DattoStream):
    """Audits of ESXi hosts, with guests and datastores."""

    name = "esxi_host_audits"
    path = "/v2/audit/esxihost/{deviceUid}"
    component = "ESXiHostAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    parent = "esxi_hosts"
    follows = "lastAuditDate"
    adds = ("deviceUid", "lastAuditDate")


class PrinterAuditsStream(DattoStream):
    """Audits of printers, with supplies."""

    name = "printer_audits"
    path = "/v2/audit/printer/{deviceUid}"
    component = "PrinterAudit"
    primary_keys = ("deviceUid",)
    replication_key = "lastAuditDate"
    parent = "printers"
    follows = "lastAuditDate"
    adds = ("deviceUid", "lastAuditDate")


class DevicePatchesStream(DattoStream):
    """Patches of each computer."""

    name = "device_patches"
    path = "/v2/device/{deviceUid}/patches"
    component = "Patch"
    primary_keys = ("deviceUid", "patchId")
    parent = "computers"
    follows = "lastAuditDate"
    adds = ("deviceUid", "lastAuditDate")
    selected_by_default = False
