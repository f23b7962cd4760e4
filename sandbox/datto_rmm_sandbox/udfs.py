"""User-defined fields: ten or so of 300 are filled, in v2 as text, in v3 with types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from datto_rmm_sandbox import catalogue as known
from datto_rmm_sandbox.dates import plain_date
from datto_rmm_sandbox.randomness import Topic, dice, lucky, pick
from datto_rmm_sandbox.records import DAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from datto_rmm_sandbox.account import Account
    from datto_rmm_sandbox.catalogue import Udf
    from datto_rmm_sandbox.records import Device, Row

MOST_UDFS = 300
_NULLS = b"".join(b'"udf%d":null,' % n for n in range(1, MOST_UDFS + 1))
_OFFSETS = [0, 0]
for _n in range(1, MOST_UDFS + 1):
    _OFFSETS.append(_OFFSETS[-1] + len(b'"udf%d":null,' % _n))


def udf_values(account: Account, device: Device) -> list[tuple[Udf, str]]:
    """The UDFs that are filled, in order; about 290 of 300 are null on every device.

    Args:
        account: The account.
        device: One of its devices.

    Returns:
        Fields with their text.
    """
    if not device.is_computer:
        return []
    rng = dice(account.seed, Topic.UDF, device.serial)
    return [(udf, _udf_text(udf, device, rng)) for udf in known.UDFS if rng.random() < udf.share]


_UDF_TEXTS: dict[int, Callable[[Device, Random], str]] = {
    1: lambda _, rng: pick(rng, known.SERVICE_TIERS),
    2: lambda device, _: f"A-{10_000 + device.serial}",
    3: lambda _, rng: _recovery_key(rng),
    4: lambda device, _: plain_date(device.created // DAY * DAY),
    6: lambda _, rng: f"{int(rng.random() * 9_000) / 100 + 5:.2f}",
    11: lambda _, rng: pick(rng, known.AREAS),
}
_UDF_REMARKS = ("ok", "imported", "checked “twice”", "n/a")


def _udf_text(udf: Udf, device: Device, rng: Random) -> str:
    if udf.type == "BOOLEAN":
        return "true" if lucky(rng, 0.7) else "false"
    text = _UDF_TEXTS.get(udf.ordinal)
    return text(device, rng) if text else f"{pick(rng, _UDF_REMARKS)} {device.generation}"


def _recovery_key(rng: Random) -> str:
    digits = f"{rng.getrandbits(158):048d}"
    return "-".join([digits[n : n + 6] for n in range(0, 48, 6)])


def udf_object(values: list[tuple[Udf, str]], size: int) -> bytes:
    """The `udf` object of a v2 device; its nulls are bytes that were written once.

    Args:
        values: What `udf_values` gives.
        size: How many keys it has.

    Returns:
        JSON text.
    """
    parts, at = [b"{"], 1
    for udf, text in values:
        if udf.ordinal > size:
            break
        parts.append(_NULLS[_OFFSETS[at] : _OFFSETS[udf.ordinal]])
        parts.append(b'"udf%d":%b,' % (udf.ordinal, orjson.dumps(text)))
        at = udf.ordinal + 1
    parts.append(_NULLS[_OFFSETS[at] : _OFFSETS[size + 1]])
    return b"".join(parts)[:-1] + b"}"


def udf_item(udf: Udf, text: str) -> Row:
    """An entry of the `udfs` of a v3 device.

    Args:
        udf: The field.
        text: Its value as v2 has it.

    Returns:
        The row, with the value under the name of its type.
    """
    item: Row = {"ordinal": udf.ordinal, "type": udf.type}
    match udf.type:
        case "BOOLEAN":
            item["valueBoolean"] = text == "true"
        case "NUMBER":
            item["valueNumber"] = float(text)
        case "DATE":
            item["valueDate"] = text
        case _:
            item["valueString"] = text
    if udf.label is not None:
        item["label"] = udf.label
    return item
