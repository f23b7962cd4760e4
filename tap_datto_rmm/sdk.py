"""What the tap does otherwise than the SDK: how settings are read, checked and shown.

Nothing here imports a private name of the SDK. One private method is overridden, because there is
no public way: see `ConfiguredTap._validate_config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from singer_sdk import Tap
from singer_sdk.about import AboutFormatter, AboutInfo
from singer_sdk.exceptions import ConfigurationError, MappingError
from typing_extensions import override

from tap_datto_rmm.about import as_text
from tap_datto_rmm.console import LEVEL_VARIABLES, reset_log_level
from tap_datto_rmm.files import ENVIRONMENT, SHAPES, JsonFile
from tap_datto_rmm.settings import package_version
from tap_datto_rmm.settings.reading import Given, SettingsError, read_settings
from tap_datto_rmm.settings.sources import PREFIX, Environment, Layer

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    import click

    from tap_datto_rmm.settings import Settings

NOT_SO: Final = frozenset(
    {"Parsing env var for settings config...", "Skipping parse of env var settings..."}
)
"""Lines of the SDK that are not so: this module reads the environment."""


@dataclass(frozen=True, slots=True)
class ConfigInput:
    """What `--config` gave, by the names that the SDK looks for."""

    config: Sequence[Layer]
    parse_env: bool


class ConfiguredTap(Tap):
    """A tap whose settings come from files, a `.env` and the environment, and are checked here.

    The SDK lets a `.env` win over an exported variable, looks for it above its own folder, reads
    no numbers from the environment, trips over wrong ones, and reads a config that comes through a
    pipe twice.
    """

    given: Given
    """The settings, and where each comes from."""
    config_jsonschema: ClassVar[dict[str, Any]]

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | Sequence[Layer] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **others: Any,
    ) -> None:
        """Read and check the settings.

        Args:
            config: settings, or settings by source of which the later ones count.
            parse_env_config: whether the environment counts too, before all others.
            validate_config: False for discovery, which needs no credentials; what is given is
                checked all the same.
            others: as the SDK documents them.

        Raises:
            SettingsError: a setting is missing or wrong.
            DotenvError: there is a `.env`, and it cannot be read.
        """
        self.logger.addFilter(_is_so)
        environment = Environment.read() if parse_env_config else Environment.exported_only()
        if not environment.export().isdisjoint(LEVEL_VARIABLES):
            reset_log_level()
        self.given = read_settings(
            [Layer("config", config)] if isinstance(config, Mapping) else config or (),
            environment,
            self.known_settings(),
            from_environment=parse_env_config,
            needs_all=validate_config,
        )
        if self.given.places:
            self.logger.info("%s %s. %s", self.name, package_version(), self.given.places)
        for warning in self.given.warnings:
            self.logger.warning(warning)
        super().__init__(config=self.given.config, **others)

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self.given.settings

    @classmethod
    def known_settings(cls) -> dict[str, Any]:
        """Give the JSON Schema of all settings, the SDK's own included."""
        cls.append_builtin_config(cls.config_jsonschema)
        _repair(cls.config_jsonschema)
        return cls.config_jsonschema

    @classmethod
    def description(cls) -> str:
        """Say what the tap is, for `--about`."""
        return cls.__doc__ or ""

    @classmethod
    @override
    def print_version(cls, print_fn: Callable[[Any], None] = print) -> None:
        """Print the version where it is asked for; the log has it beside the settings."""
        if print_fn != cls.logger.info:
            super().print_version(print_fn)

    @override
    def setup_mapper(self) -> None:
        """Prepare stream maps and flattening.

        Raises:
            SettingsError: the SDK cannot do what they ask for; it shows a traceback.
        """
        try:
            self.prepare_maps()
        except (MappingError, ConfigurationError, ValueError) as error:
            settings = "`stream_maps`" if self.config.get("stream_maps") else "`flattening_*`"
            raise SettingsError([f"Setting {settings} cannot be followed: {error}"]) from None

    def prepare_maps(self) -> None:
        """Let the SDK make the maps of all streams."""
        super().setup_mapper()

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find nothing wrong: `__init__` has looked, in words that say what to change.

        The SDK repeats values, secrets too, and warns of what discovery does not need.
        """
        del raise_errors
        return []

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Let files be read once, and by their byte order mark."""
        command = super().get_singer_command()
        for option in command.params:
            if option.name in SHAPES:
                option.type = JsonFile(option.name)
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: Sequence[Layer | str]) -> Any:
        """Give what `--config` gave; `JsonFile` has read it."""
        layers = [each for each in value if isinstance(each, Layer)]
        return ConfigInput(layers, parse_env=ENVIRONMENT in value)

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print what the tap is: for people, in the SDK's markdown, or in JSON for machines."""
        info = AboutInfo(
            name=cls.name,
            description=cls.description(),
            version=cls.get_plugin_version(),
            sdk_version=cls.get_sdk_version(),
            supported_python_versions=cls.get_supported_python_versions(),
            capabilities=cls.capabilities,
            settings=cls.known_settings(),
            env_var_prefix=PREFIX,
        )
        form = AboutFormatter.get_formatter(output_format) if output_format else None
        print(form.format_about(info) if form else as_text(info))  # noqa: T201 - asked for


def _is_so(record: logging.LogRecord) -> bool:
    return record.msg not in NOT_SO


def _repair(schema: Any) -> None:
    """Take out what is no JSON Schema, in place: a validator that comes to it fails.

    The SDK writes the bare word "null" among the choices of `__else__` in `stream_maps`.
    """
    if isinstance(schema, dict):
        if "anyOf" in schema:
            schema["anyOf"] = [choice for choice in schema["anyOf"] if choice != "null"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            _repair(part)
