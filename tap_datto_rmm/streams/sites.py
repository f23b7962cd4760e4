"""Streams that are asked for site by site."""

from __future__ import annotations

from tap_datto_rmm.api.fan_out import SITES
from tap_datto_rmm.streams.fan_out_stream import FanOutStream


class SiteSettingsStream(FanOutStream):
    """Settings of a site: mail recipients and proxy, without its password."""

    name = "site_settings"
    path = "/v2/site/{siteUid}/settings"
    component = "SiteSettings"
    primary_keys = ("siteUid",)
    fan_out = SITES
    parent_columns = ("siteUid",)


class SiteVariablesStream(FanOutStream):
    """Variables of a site."""

    name = "site_variables"
    path = "/v2/site/{siteUid}/variables"
    component = "Variable"
    primary_keys = ("siteUid", "id")
    fan_out = SITES
    parent_columns = ("siteUid",)


class SiteFiltersStream(FanOutStream):
    """Device filters of a site."""

    name = "site_filters"
    path = "/v2/site/{siteUid}/filters"
    component = "Filter"
    primary_keys = ("siteUid", "id")
    fan_out = SITES
    parent_columns = ("siteUid",)


class SiteNetworkInterfacesStream(FanOutStream):
    """Network interfaces of each device of a site."""

    name = "site_network_interfaces"
    path = "/v2/site/{siteUid}/devices/network-interface"
    component = "Device Network Interface"
    primary_keys = ("uid",)
    fan_out = SITES


class SitePatchesStream(FanOutStream):
    """Patches of a site, with how many devices have each."""

    name = "site_patches"
    path = "/v2/site/{siteUid}/patches"
    component = "SitePatch"
    primary_keys = ("siteUid", "patchId", "installStatus")
    fan_out = SITES
    parent_columns = ("siteUid",)
    selected_by_default = False
