"""Streams of the account itself: one row, or one list, each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_datto_rmm.api.account import ACCOUNT_PATH, SITES_PATH
from tap_datto_rmm.api.completeness import WHOLE
from tap_datto_rmm.api.devices import DEVICES_PATH
from tap_datto_rmm.streams.list_stream import ListStream

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_datto_rmm.api.completeness import Completeness
    from tap_datto_rmm.api.reading import ListReader
    from tap_datto_rmm.streams.sync import Item


class AccountStream(ListStream):
    """The account: one row."""

    name = "account"
    path = ACCOUNT_PATH
    component = "Account"
    primary_keys = ("uid",)

    @override
    def read(self) -> Generator[Item, None, Completeness]:
        """Give the row that the run began with."""
        yield self.run.inventory.account.row(self.client), None
        return WHOLE


class SitesStream(ListStream):
    """Sites: customers, or parts of them."""

    name = "sites"
    path = SITES_PATH
    component = "Site"
    primary_keys = ("uid",)

    @property
    @override
    def reader(self) -> ListReader:
        return self.run.inventory.sites.reader

    @override
    def rows(self) -> Generator[Any, None, Completeness]:
        """Read them where others find them too."""
        return self.run.inventory.sites.rows(self.client)


class DevicesStream(ListStream):
    """Devices with their user-defined fields."""

    name = "devices"
    path = DEVICES_PATH
    component = "Device"
    primary_keys = ("uid",)

    @property
    @override
    def reader(self) -> ListReader:
        return self.run.inventory.devices.reader

    @override
    def rows(self) -> Generator[Any, None, Completeness]:
        """Read them where others find them too."""
        completeness = yield from self.run.inventory.devices.rows(self.client)
        self.run.remember_unlisted()
        return completeness


class DevicesV3Stream(ListStream):
    """Devices as the v3 API gives them: user-defined fields typed and labelled."""

    name = "devices_v3"
    path = "/v3/account/devices"
    component = "DeviceV3"
    primary_keys = ("uid",)
    selected_by_default = False


class UsersStream(ListStream):
    """Users of Datto RMM."""

    name = "users"
    path = "/v2/account/users"
    component = "AuthUser"
    primary_keys = ("username",)
    permission = "Setup > Users, which only the Administrator security level has"


class AccountVariablesStream(ListStream):
    """Variables of the account."""

    name = "account_variables"
    path = "/v2/account/variables"
    component = "Variable"
    primary_keys = ("id",)
    permission = "Setup > Global Settings"


class ComponentsStream(ListStream):
    """Components: the scripts and applications that jobs run."""

    name = "components"
    path = "/v2/account/components"
    component = "Component"
    primary_keys = ("uid",)
    permission = "View on Components; the user's component level decides which"


class DefaultFiltersStream(ListStream):
    """Device filters that come with Datto RMM."""

    name = "default_filters"
    path = "/v2/filter/default-filters"
    component = "Filter"
    primary_keys = ("id",)


class CustomFiltersStream(ListStream):
    """Device filters that the account's users made."""

    name = "custom_filters"
    path = "/v2/filter/custom-filters"
    component = "Filter"
    primary_keys = ("id",)


class DnetSiteMappingsStream(ListStream):
    """Which Datto Networking networks belong to which site."""

    name = "dnet_site_mappings"
    path = "/v2/account/dnet-site-mappings"
    component = "DnetSiteMappingsDto"
    primary_keys = ("uid",)
