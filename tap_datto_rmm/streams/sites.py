"""Streams that are asked for site by site."""

from __future__ import annotations

from tap_datto_rmm.streams.base import DattoStream


class SiteSettingsStream(DattoStream):
    """Settings of a site: mail recipients and proxy, without its password."""

    name = "site_settings"
    path = "/v2/site/{siteUid}/settings"
    component = "SiteSettings"
    primary_keys = ("siteUid",)
    parent = "sites"
    adds = ("siteUid",)


class SiteVariablesStream(DattoStream):
    """Variables of a site."""

    name = "site_variables"
    path = "/v2/site/{siteUid}/variables"
    component = "Variable"
    primary_keys = ("siteUid", "id")
    parent = "sites"
    adds = ("siteUid",)


class SiteFiltersStream(DattoStream):
    """Device filters of a site."""

    name = "site_filters"
    path = "/v2/site/{siteUid}/filters"
    component = "Filter"
    primary_keys = ("siteUid", "id")
    parent = "sites"
    adds = ("siteUid",)


class SiteNetworkInterfacesStream(DattoStream):
    """Network interfaces of each device of a site."""

    name = "site_network_interfaces"
    path = "/v2/site/{siteUid}/devices/network-interface"
    component = "Device Network Interface"
    primary_keys = ("uid",)
    parent = "sites"


class SitePatchesStream(DattoStream):
    """Patches of a site, with how many devices have each."""

    name = "site_patches"
    path = "/v2/site/{siteUid}/patches"
    component = "SitePatch"
    primary_keys = ("siteUid", "patchId", "installStatus")
    parent = "sites"
    adds = ("siteUid",)
    selected_by_default = False
