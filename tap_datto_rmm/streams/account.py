"""Streams of the account itself: one row, or one list, each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.streams.base import DattoStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class AccountStream(DattoStream):
    """The account: one row."""

    name = "account"
    path = "/v2/account"
    component = "Account"
    primary_keys = ("uid",)

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Read it where others find it too."""
        yield self._tap.inventory.read_account(), None


class SitesStream(DattoStream):
    """Sites: customers, or parts of them."""

    name = "sites"
    path = "/v2/account/sites"
    component = "Site"
    primary_keys = ("uid",)

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Read them where others find them too."""
        return ((row, None) for row in self._tap.inventory.read_sites())


class DevicesStream(DattoStream):
    """Devices with their user-defined fields."""

    name = "devices"
    path = "/v2/account/devices"
    component = "Device"
    primary_keys = ("uid",)

    @override
    def items(self) -> Iterator[tuple[Any, Mapping[str, Any] | None]]:
        """Read them where others find them too."""
        return ((row, None) for row in self._tap.inventory.read_devices())


class DevicesV3Stream(DattoStream):
    """Devices as the v3 API gives them: user-defined fields typed and labelled."""

    name = "devices_v3"
    path = "/v3/account/devices"
    component = "DeviceV3"
    primary_keys = ("uid",)
    selected_by_default = False


class UsersStream(DattoStream):
    """Users of Datto RMM."""

    name = "users"
    path = "/v2/account/users"
    component = "AuthUser"
    primary_keys = ("username",)
    permission = "Setup > Users, which only the Administrator security level has"


class AccountVariablesStream(DattoStream):
    """Variables of the account."""

    name = "account_variables"
    path = "/v2/account/variables"
    component = "Variable"
    primary_keys = ("id",)
    permission = "Setup > Global Settings"


class ComponentsStream(DattoStream):
    """Components: the scripts and applications that jobs run."""

    name = "components"
    path = "/v2/account/components"
    component = "Component"
    primary_keys = ("uid",)
    permission = "View on Components; the user's component level decides which"


class DefaultFiltersStream(DattoStream):
    """Device filters that come with Datto RMM."""

    name = "default_filters"
    path = "/v2/filter/default-filters"
    component = "Filter"
    primary_keys = ("id",)


class CustomFiltersStream(DattoStream):
    """Device filters that the account's users made."""

    name = "custom_filters"
    path = "/v2/filter/custom-filters"
    component = "Filter"
    primary_keys = ("id",)


class DnetSiteMappingsStream(DattoStream):
    """Which Datto Networking networks belong to which site."""

    name = "dnet_site_mappings"
    path = "/v2/account/dnet-site-mappings"
    component = "DnetSiteMappingsDto"
    primary_keys = ("uid",)
