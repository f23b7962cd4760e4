"""The tap: settings in, Singer messages out; its parts are made here and nowhere else."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from singer_sdk.helpers.capabilities import (
    PluginCapabilities,
    TapCapabilities,
)
from typing_extensions import override

from tap_datto_rmm.api.activity_log import Activities
from tap_datto_rmm.api.connection import POLICY, connect
from tap_datto_rmm.api.fan_out import devices_in_demand
from tap_datto_rmm.api.inventory import Inventory
from tap_datto_rmm.errors import RequestError, SpecError, TapError
from tap_datto_rmm.records.openapi import Spec
from tap_datto_rmm.records.timestamps import canonical
from tap_datto_rmm.sdk import ConfiguredTap
from tap_datto_rmm.settings import CONFIG_SCHEMA
from tap_datto_rmm.singer.output import MessageWriter, Stopped
from tap_datto_rmm.singer.state import checked, refuse_future
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.streams.custom import custom_streams
from tap_datto_rmm.telemetry.progress import Progress
from tap_datto_rmm.telemetry.report import Report

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import FrameType

    from singer_sdk.streams import Stream

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.http.retry import RetryPolicy
    from tap_datto_rmm.records.timestamps import Timestamp
    from tap_datto_rmm.streams.base import DattoStream


LISTS_AHEAD: Final = 3
"""Lists whose first page is asked for while another is being read."""


class SyncError(TapError):
    """Streams failed; the others are complete and their state is kept."""


class TapDattoRMM(ConfiguredTap):
    """Singer tap for the Datto RMM API v2: sites, devices, alerts, audits and the rest."""

    name = "tap-datto-rmm"
    package_name = "tap-datto-rmm"
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(CONFIG_SCHEMA)  # the SDK adds its own
    message_writer_class = MessageWriter
    message_writer: MessageWriter
    retry_policy: ClassVar[RetryPolicy] = POLICY
    """How long the client tries again, and waits; a shorter one in tests."""
    capabilities: ClassVar = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @cached_property
    def spec(self) -> Spec:
        """The OpenAPI document in use."""
        return Spec.load(self.settings.spec_path)

    @cached_property
    def client(self) -> Client:
        """The one HTTP client of the run."""
        return connect(self.settings, self.retry_policy)

    @cached_property
    def inventory(self) -> Inventory:
        """The account's sites and devices."""
        asked = [(stream.parent, stream.bookmark) for stream in self._selected]
        keeps = devices_in_demand(asked)
        return Inventory(self.client, self.progress, self.started_at, keeps)

    @cached_property
    def activities(self) -> Activities:
        """The account's activity log."""
        start = self.settings.start_date
        text = canonical(start) if start else None
        asked = {stream.parent for stream in self._selected}
        keeps_devices = not asked.isdisjoint({"job_devices", "job_channels"})
        return Activities(
            self.client, self.started_at, text, self.progress, keeps_devices=keeps_devices
        )

    @cached_property
    def report(self) -> Report:
        """What the run did."""
        return Report()

    @cached_property
    def progress(self) -> Progress:
        """What is told of it meanwhile."""
        return Progress(self.client.limiter)

    @cached_property
    def started_at(self) -> Timestamp:
        """When the run began, by the API's clock (in whole seconds)."""
        self.client.token()  # the first answer tells the API's time
        return canonical(self.client.now().replace(microsecond=0))

    @classmethod
    @override
    def description(cls) -> str:
        """Add the build that the packaged OpenAPI document describes."""
        return f"{super().description()} OpenAPI document: {Spec.load().version}."

    @override
    def discover_streams(self) -> Sequence[Stream]:
        """Make the built-in and the custom streams; no request is made.

        Raises:
            SpecError: the OpenAPI document is of another API.
        """
        found = [one for one in STREAMS if self.spec.describes(one.path, one.component)]
        if left_out := [one.name for one in STREAMS if one not in found]:
            names, source = ", ".join(left_out), self.spec.source
            self.logger.warning("Left out, because %s does not have them: %s", source, names)
        if not found:
            raise SpecError(f"{self.spec.source} describes another API: it has no stream's path.")
        built_in = [stream(self) for stream in found]
        return [*built_in, *custom_streams(self, taken={stream.name for stream in built_in})]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of `STREAMS`, which the SDK would sort by name."""
        if self._streams is None:
            made = super().streams
            order = {stream.name: number for number, stream in enumerate(STREAMS)}
            names = sorted(made, key=lambda name: order.get(name, len(order)))
            self._streams = {name: made[name] for name in names}
        return self._streams

    @property
    def _own_streams(self) -> Collection[DattoStream]:
        return cast("Collection[DattoStream]", self.streams.values())

    @property
    def _selected(self) -> list[DattoStream]:
        return [stream for stream in self._own_streams if stream.selected]

    @override  # type: ignore[misc]  # final, but the SDK has no hook around all streams
    def sync_all(self) -> None:  # ty: ignore[override-of-final-method]
        """Sync all selected streams, then tell what was done.

        Raises:
            SyncError: streams failed; the others are complete.
            AuthenticationError: the credentials are not accepted.
            StateError: a bookmark is in the future.
            Stopped: by a signal, or because nobody reads the output; the last STATE is written.
        """
        try:
            for stream in self._selected:
                stream.heed_forced_replication()
                self.report.of(stream.name)  # in the order of the streams
            if self._selected:
                # Fixed before anything is read: no bookmark goes beyond.
                refuse_future(self.state.get("bookmarks", {}), self.started_at)
            super().sync_all()
        except Stopped:
            with suppress(Stopped):
                self.write_state()
            raise
        finally:
            self.client.close()
            self.report.tell(self.client.counters)
        if failed := [run.name for run in self.report.failed]:
            message = (
                f"{len(failed)} of {len(self.report.runs)} streams failed: {', '.join(failed)}"
            )
            raise SyncError(message)

    def look_ahead_from(self, stream: DattoStream) -> None:
        """Ask for the first pages of the lists that come next, while a list is being read.

        No further ahead: a page that waits while thousands of alerts or audits are read is no
        longer true.
        """

        def is_short(one: DattoStream) -> bool:
            return one.parent is None and not one.follows

        following = self._selected[self._selected.index(stream) :]
        for one in takewhile(is_short, following[: LISTS_AHEAD + 1]):
            if one is not stream:
                one.look_ahead()

    def write_state(self) -> None:
        """Write a STATE message where anything has changed since the last one."""
        if self.state:
            self.state_writer.write_state(self.state)

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            StateError: it is none of this tap.
        """
        if state:
            dates = {stream.name: stream.follows for stream in self._own_streams}
            self.state["bookmarks"] = checked(state, dates)

    def is_fatal(self, error: TapError) -> bool:
        """Whether no other stream could do better."""
        ends_the_run = isinstance(error, RequestError) and error.ends_the_run
        return ends_the_run or not self.client.signed_in

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End with a STATE that covers what was written, and the exit code of the signal.

        The SDK ends with 0, which lets Meltano call half a sync a success.

        Raises:
            Stopped: in `sync_all`, between two messages.
        """
        del frame
        self.message_writer.stop(signum)
