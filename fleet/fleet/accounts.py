"""The accounts file: who is synced into which schema with which secrets, checked as a whole.

`python -m fleet.accounts` prints the accounts' names, and warns of secrets that are missing.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import override

from fleet.answers import SUFFIX
from fleet.errors import AccountsFileError, FleetError, SecretError
from fleet.known import TAP, TARGET, no_such_key
from fleet.secrets import Secrets
from fleet.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from pydantic_core import ErrorDetails

logger = logging.getLogger("fleet")

OWN_SCHEMAS = frozenset(
    {"fleet", "datto_fleet", "datto_answers_absent", "information_schema", "public"}
)
"""Schemas that are no account's: the fleet's own, and PostgreSQL's."""

Platform = Literal["pinotage", "merlot", "concord", "vidal", "zinfandel", "syrah"]


def _of_form(pattern: str, words: str) -> AfterValidator:
    """Hold a text to a form; where it has another, say in words what it takes, and no value."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(f"it takes {words}")
        return value

    return AfterValidator(check)


Name = Annotated[
    str, _of_form(r"[a-z0-9][a-z0-9_-]{0,62}", "up to 63 small letters, digits, `-` and `_`")
]
Schema = Annotated[
    str,
    # Short enough for PostgreSQL with the eight letters that the schema of its answers has more.
    _of_form(r"[a-z_][a-z0-9_]{0,54}", "up to 55 small letters, digits and `_`, no digit first"),
]
_IS_A_NAME = re.compile(r"(?!(?=.*\d)[A-Za-z0-9]{16,}$)[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name; sixteen and more letters and digits without a `_` are a key."""
SecretName = Annotated[
    str, _of_form(_IS_A_NAME.pattern, "the name of a secret such as ACME_KEY, not the secret")
]
"""A secret's name, never the secret: an environment variable's, or a file's."""
StreamName = Annotated[str, _of_form(r"[a-z][a-z0-9_]*", "the name of a stream")]
TapSettings = dict[Annotated[str, AfterValidator(TAP.check)], JsonValue]
TargetSettings = dict[Annotated[str, AfterValidator(TARGET.check)], JsonValue]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Streams(_Part):
    """How the streams differ from the tap's own selection."""

    also: list[StreamName] = []
    without: list[StreamName] = []

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if both := sorted({*self.also} & {*self.without}):
            raise ValueError(f"{', '.join(both)}: in `also` and in `without`")
        return self


class Account(_Part):
    """One account: a line of the file."""

    name: Name
    platform: Platform | None = None
    api_url: str | None = Field(None, min_length=1)
    schema_: Schema = Field(alias="schema")
    api_key: SecretName
    api_secret: SecretName
    uid: str | None = Field(None, min_length=1)
    settings: TapSettings = {}
    streams: Streams | None = None

    @field_validator("schema_")
    @classmethod
    def _is_no_other_schema(cls, value: str) -> str:
        if value in OWN_SCHEMAS or value.startswith("pg_") or value.endswith(SUFFIX):
            raise ValueError("this schema is not for an account; choose another name")
        return value

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.platform is None) == (self.api_url is None):
            raise ValueError("give either `platform` or `api_url`")
        return self


class Defaults(_Part):
    """What holds for every account that does not say otherwise."""

    settings: TapSettings = {}
    streams: Streams = Streams()


class Fleet(_Part):
    """The whole file."""

    warehouse: SecretName
    """Name of the secret that is the warehouse's address, `postgresql://USER:PASSWORD@HOST/DB`."""
    defaults: Defaults = Defaults()
    target: TargetSettings = {}
    accounts: list[Account]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and check the file.

        Raises:
            AccountsFileError: it cannot be read, or something in it is wrong; all of it is told.
        """
        try:
            content = _StrictLoader(path.read_bytes()).get_single_data()
        except OSError as error:
            raise AccountsFileError(f"{path}: {error.strerror}; FLEET_ACCOUNTS names it") from error
        except yaml.MarkedYAMLError as error:  # its own text would quote the line
            where = f" in line {mark.line + 1}" if (mark := error.problem_mark) else ""
            raise AccountsFileError(f"{path} is no YAML: {error.problem}{where}") from error
        except yaml.YAMLError as error:
            raise AccountsFileError(f"{path} is no YAML: {error}") from error
        except RecursionError:
            raise AccountsFileError(f"{path} is nested too deeply.") from None
        faults = list(_repetitions(content))
        try:
            fleet = cls.model_validate(content)
        except ValidationError as error:  # its own text would quote the values
            faults = [*_lines(content, error.errors()), *faults]
        if faults:
            raise AccountsFileError("\n".join(f"{path}: {fault}" for fault in faults))
        return fleet

    @property
    def names(self) -> list[str]:
        """The accounts' names, in the file's order."""
        return [account.name for account in self.accounts]

    def account(self, name: str) -> Account:
        """Give an account.

        Raises:
            AccountsFileError: there is none of this name.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise AccountsFileError(f"There is no account {name!r} in the accounts file.")

    def settings_of(self, account: Account) -> dict[str, JsonValue]:
        """The tap's settings for an account, but for its secrets."""
        where = {"platform": account.platform} if account.platform else {"api_url": account.api_url}
        return {**self.defaults.settings, **account.settings, **where}

    def streams_of(self, account: Account) -> Streams:
        """The streams of an account, as they differ from the tap's own selection."""
        return account.streams or self.defaults.streams


class _StrictLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys without a word; this loader refuses them.

    Dates stay texts, as all settings that take one take a text.
    """

    @override
    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return self.DEFAULT_SCALAR_TAG if tag == "tag:yaml.org,2002:timestamp" else tag

    @override
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.composer.ComposerError(None, None, "a key is no text", key.start_mark)
        if twice := _twice(key.value for key, _ in node.value):
            problem = f"{', '.join(map(repr, twice))} is there more than once"
            raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
        return node


def _twice(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def _accounts_of(content: Any) -> list[dict[str, Any]]:
    """The accounts of a file that nobody has checked yet."""
    accounts = content.get("accounts") if isinstance(content, dict) else None
    return [one for one in accounts if isinstance(one, dict)] if isinstance(accounts, list) else []


def _repetitions(content: Any) -> Iterator[str]:
    """What must be there once in the whole file, and is there more than once."""
    accounts = _accounts_of(content)
    secrets = [content.get("warehouse")] if accounts else []
    secrets += [one.get(key) for one in accounts for key in ("api_key", "api_secret")]
    given = {
        **{what: [one.get(what) for one in accounts] for what in ("name", "schema", "uid")},
        "secret": [name for name in secrets if _IS_A_NAME.fullmatch(str(name))],
    }
    for what, values in given.items():
        for value in _twice(value for value in values if isinstance(value, str)):
            yield f"the {what} {value!r} is there more than once"


def _lines(content: Any, errors: Iterable[ErrorDetails]) -> Iterator[str]:
    for error in errors:
        place = error["loc"]
        if place[-1:] == ("[key]",):  # how Pydantic tells a wrong key from a wrong value
            place = place[:-1]
        steps = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
        where = "".join(steps).removeprefix(".") or "the file"
        yield f"{where}{_whose(content, place)}: {_words(error)}"


def _whose(content: Any, place: tuple[int | str, ...]) -> str:
    """The account that a place belongs to, by name: nobody counts to the 317th."""
    match place:
        case ["accounts", int(number), *_]:
            account = content["accounts"][number]
            name = account.get("name") if isinstance(account, dict) else None
            return f" ({name})" if isinstance(name, str) else ""
    return ""


def _words(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            *place, key = error["loc"]
            return no_such_key(str(key), _keys(place))
        case "model_type":
            return "it takes keys with values"
    return error["msg"].removeprefix("Value error, ")


def _keys(place: Sequence[int | str]) -> Iterator[str]:
    """The keys that a part of the file may have."""
    part: type[_Part] = Fleet
    match place:
        case [*_, "streams"]:
            part = Streams
        case ["accounts", int()]:
            part = Account
        case ["defaults"]:
            part = Defaults
    for name, field in part.model_fields.items():
        yield field.alias or name


def main() -> int:
    """Check the file, and print the accounts' names.

    Returns:
        The exit code.
    """
    logging.basicConfig(format="%(message)s")
    try:
        fleet = Fleet.load(Settings.from_environment(os.environ).accounts)
    except FleetError as error:
        logger.error(error)  # noqa: TRY400 - no traceback
        return 1
    secrets = Secrets()
    for account in fleet.accounts:
        print(account.name)  # noqa: T201 - for xargs
        for name in (account.api_key, account.api_secret):
            try:
                secrets.get(name)
            except SecretError as error:
                logger.warning("%s: %s", account.name, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
