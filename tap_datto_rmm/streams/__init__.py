"""The streams, in the order in which a sync reads them: parents before those that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_datto_rmm.streams import account, activity, alerts, devices, sites

if TYPE_CHECKING:
    from tap_datto_rmm.streams.base import DattoStream

STREAMS: Final[tuple[type[DattoStream], ...]] = (
    account.AccountStream,
    account.SitesStream,
    account.DevicesStream,
    account.DevicesV3Stream,
    alerts.AlertsStream,
    account.UsersStream,
    account.AccountVariablesStream,
    account.ComponentsStream,
    account.DefaultFiltersStream,
    account.CustomFiltersStream,
    account.DnetSiteMappingsStream,
    activity.ActivityLogsStream,
    activity.JobsStream,
    activity.JobComponentsStream,
    activity.JobResultsStream,
    activity.JobOutputsStream,
    sites.SiteSettingsStream,
    sites.SiteVariablesStream,
    sites.SiteFiltersStream,
    sites.SiteNetworkInterfacesStream,
    sites.SitePatchesStream,
    devices.DeviceAuditsStream,
    devices.DeviceSoftwareStream,
    devices.EsxiHostAuditsStream,
    devices.PrinterAuditsStream,
    devices.DevicePatchesStream,
)
