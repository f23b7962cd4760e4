"""The tap: settings in, Singer messages out; what its streams share is put together in `run.py`."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_datto_rmm.api.connection import POLICY, connect
from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.records.openapi import Spec
from tap_datto_rmm.run import Run, begin
from tap_datto_rmm.sdk import ConfiguredTap
from tap_datto_rmm.settings import CONFIG_SCHEMA, package_version
from tap_datto_rmm.settings.refresh import without_effect
from tap_datto_rmm.singer.catalog import lacking, lines_about
from tap_datto_rmm.singer.mapping import register, unknown_maps
from tap_datto_rmm.singer.output import MessageWriter, Stopped, TargetWait
from tap_datto_rmm.singer.state import StateError, checked
from tap_datto_rmm.streams import STREAMS
from tap_datto_rmm.streams.course import announce, check_selection, read_in_turn
from tap_datto_rmm.streams.custom import custom_streams
from tap_datto_rmm.streams.fan_out_stream import FanOutStream
from tap_datto_rmm.telemetry.report import RunReport
from tap_datto_rmm.telemetry.summary import tell
from tap_datto_rmm.telemetry.watch import Sources, watching

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import FrameType

    from singer_sdk.streams import Stream

    from tap_datto_rmm.http.client import Client
    from tap_datto_rmm.http.retry import RetryPolicy
    from tap_datto_rmm.streams.base import DattoStream


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
    _refused_state: StateError | None = None

    @cached_property
    def spec(self) -> Spec:
        """The OpenAPI document in use."""
        return Spec.load(self.settings.spec_path)

    @cached_property
    def client(self) -> Client:
        """The one HTTP client of the run."""
        return connect(self.settings, self.retry_policy)

    @cached_property
    def report(self) -> RunReport:
        """What the run did."""
        return RunReport(package_version(), counters=self.client.counters)

    @cached_property
    def run(self) -> Run:
        """What the streams of this sync share; the API is asked for a token, and the time."""
        demands = [(s.fan_out, s.demand) for s in self.chosen if isinstance(s, FanOutStream)]
        return begin(
            self.settings,
            self.client,
            self.spec,
            self.report,
            state=self.state,
            write_state=self.write_state,
            demands=demands,
        )

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

    @override
    def prepare_maps(self) -> None:
        super(Tap, self).setup_mapper()
        register(self.mapper, self.catalog, self.all_streams)
        for line in unknown_maps(self.config.get("stream_maps") or {}, self.streams):
            self.logger.warning(line)

    @property
    def all_streams(self) -> Collection[DattoStream]:
        """The streams, as what they are."""
        return cast("Collection[DattoStream]", self.streams.values())

    @property
    def chosen(self) -> list[DattoStream]:
        """The streams that are selected."""
        return [stream for stream in self.all_streams if stream.selected]

    @override  # type: ignore[misc]  # final, but the SDK has no hook around all streams
    def sync_all(self) -> None:  # ty: ignore[override-of-final-method]
        """Sync all selected streams, then tell what was done.

        Raises:
            SyncError: streams failed or may lack rows; the others are complete.
            RequestError: no stream can be read.
            StateError: the state is none that this tap could go on from.
            AccountError: the key belongs to another account than the settings or the state.
            Stopped: by a signal, or because nobody reads the output; the last STATE is written.
        """
        exit_code = 1
        self.message_writer.before_forced_end = self._write_report
        try:
            self._sync_chosen()
            exit_code = 0
        except Stopped as stopped:
            exit_code = stopped.code
            raise
        finally:
            self.client.close()
            tell(self.report, exit_code)
            self._write_report(exit_code)

    def _sync_chosen(self) -> None:
        chosen = self.chosen
        for stream in chosen:
            self.report.of(stream.name)  # in the order of the streams
        if self._refused_state:
            raise self._refused_state
        check_selection(self.input_catalog, self.all_streams, chosen)
        for stream in chosen:
            stream.heed_forced_replication()
        for line in cautions(self):
            self.logger.warning(line)
        with self.watched():
            self.run.guard_the_account()
            announce(self.run, chosen)
            with self.message_writer.ending_with_state(self._write_whole_state):
                self.write_state()
                read_in_turn(self.run, chosen)

    @override  # type: ignore[misc]  # final, as `sync_all`
    def run_connection_test(self) -> bool:  # ty: ignore[override-of-final-method]
        """Ask for one record of each stream."""
        with self.watched():
            return super().run_connection_test()

    def watched(self) -> AbstractContextManager[None]:
        """Tell how far the sync is, for as long as it lasts."""
        client, waits = self.client, (TargetWait(self.message_writer), self.client.waits_for)
        return watching(Sources(self.report.progress, client.counters, client.limiter, waits))

    def _write_report(self, exit_code: int) -> None:
        if not self.settings.report_path:
            return
        try:
            self.report.write(self.settings.report_path, exit_code)
        except OSError as error:
            where = self.settings.report_path
            self.logger.error("`report_path`: cannot write %s: %s", where, error.strerror)  # noqa: TRY400

    def write_state(self) -> None:
        """Write a STATE message where anything has changed since the last one."""
        if self.state:
            self.state_writer.write_state(self.state)

    def _write_whole_state(self) -> None:
        """Write the state, with what each stream brings into it only now and then."""
        for stream in self.chosen:
            stream.before_state()
        self.write_state()

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state; one that cannot be relied on is refused when the sync begins."""
        try:
            if state:
                dates = {stream.name: stream.bookmark_key for stream in self.all_streams}
                self.state["bookmarks"] = checked(state, dates)
        except StateError as error:
            self._refused_state = error

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End with a STATE that covers what was written, and the exit code of the signal.

        The SDK ends with 0, which lets Meltano call half a sync a success.

        Raises:
            Stopped: in `sync_all`, between two messages.
        """
        del frame
        self.message_writer.stop(signum)


def cautions(tap: TapDattoRMM) -> Iterator[str]:
    """Say what settings and catalog ask for in vain."""
    settings, streams = tap.settings, tap.all_streams
    full = [s.name for s in streams if s.replication_method == REPLICATION_FULL_TABLE]
    others = sorted({s.name for s in streams} - set(full))
    yield from without_effect(settings.refresh_hours, full, others)
    yield from lines_about({stream.name: stream.ignored for stream in tap.chosen})
    if tap.input_catalog is not None:
        custom = [declared["name"] for declared in settings.custom_streams]
        keep = settings.keep_unknown_properties
        yield from lacking(tap.input_catalog, list(tap.streams), custom, keep_unknown=keep)
