"""The command `tap-datto-rmm-sandbox`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import re
import sys
from itertools import chain
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from datto_rmm_sandbox import damage, server
from datto_rmm_sandbox.dates import read_moment
from datto_rmm_sandbox.faults import SELECTORS
from datto_rmm_sandbox.options import Options
from datto_rmm_sandbox.quirks import CHOICES, HELP, Quirks
from datto_rmm_sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DEFAULTS = Options()


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Names defaults, and leaves the lines of the epilog as they are."""


class _Parser(argparse.ArgumentParser):
    """Answers a mistake in two lines, with the name that may be meant: there are sixty options."""

    @override
    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"(?:choice:|fault|arguments:) '?([\w-]+)", message)
        known = [*self._option_string_actions, *damage.KINDS, *chain(*CHOICES.values())]
        near = difflib.get_close_matches(wrong[1], known, 1) if wrong else []
        hint = f" Did you mean {near[0]}?" if near else ""
        self.exit(2, f"{self.prog}: {message}.{hint}\n{self.prog} --help tells all of them.\n")


def _faults_explained() -> str:
    kinds = {
        f"{kind}={damage.KINDS[kind]}" if damage.KINDS[kind] else kind: text
        for kind, text in damage.HELP.items()
    }
    lines = ["kinds of faults, with the value where none is given:"]
    lines += [f"  {name:<20} {text}" for name, text in kinds.items()]
    lines += ["", "selectors of faults:"]
    lines += [f"  {name:<20} {text}" for name, text in SELECTORS.items()]
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The command's options.

    Returns:
        A parser whose names are those of `Options` and `Quirks`.
    """
    main = _Parser(
        prog="tap-datto-rmm-sandbox",
        description="A seeded imitation of the Datto RMM API's read side on 127.0.0.1.",
        epilog=_faults_explained(),
        formatter_class=_Formatter,
    )
    account = main.add_argument_group("the account")
    _add(account, "devices", int, "how many devices it has")
    _add(account, "seed", int, "same seed, size and now: same account")
    _add(account, "now", read_moment, "its clock, ISO 8601 or ms; left out: a day ago")
    _add(account, "account_name", str, "its name; left out: one that follows from the seed")
    _add(account, "account_uid", str, "its uid; left out: one that follows from the seed")
    _add(account, "resolved_alerts", int, "how many there are; left out: three a device")
    account.add_argument(
        "--live",
        type=float,
        nargs="?",
        const=1.0,
        default=_DEFAULTS.live,
        metavar="SPEED",
        help="let it live, this many simulated seconds for each real one",
    )
    door = main.add_argument_group("where and how it is reached")
    _add(door, "host", str, "a loopback address")
    door.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    _add(door, "api_key", str, "the user name of the token call")
    _add(door, "api_secret", str, "its password")
    _add(door, "token_seconds", float, "how long a token lasts")
    door.add_argument("--quiet", action="store_true", help="print nothing when ready")
    limits = main.add_argument_group("limits and delays")
    _add(limits, "rate_limit", int, "reads in a window, 0 for no limit")
    _add(limits, "rate_window", float, "its seconds")
    _add(limits, "slow_down_seconds", float, "delay above 90 %% of the limit")
    _add(limits, "block_after", int, "refusals in a window that lead to the block (403)")
    _add(limits, "block_seconds", float, "how long the block lasts")
    _add(limits, "other_client_rate", float, "calls a minute of another client of the account")
    _add(limits, "latency_ms", float, "how long each answer takes")
    _add(limits, "page_latency_ms", float, "how much longer a page of a list takes")
    _add(limits, "jitter_ms", float, "up to how much longer by chance")
    trouble = main.add_argument_group("trouble")
    trouble.add_argument(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="KIND[=VALUE][:SELECTOR=...]",
        help="what goes wrong, e.g. status=503:path=/v2/audit:every=17; may be repeated",
    )
    trouble.add_argument(
        "--forbid",
        action="append",
        default=[],
        metavar="PATH",
        help="answer 403 there, e.g. /v2/account$; may be repeated",
    )
    quirks = main.add_argument_group("open questions about the API")
    for name in HELP:
        flag, default = "--" + name.replace("_", "-"), getattr(_DEFAULTS.quirks, name)
        choices = CHOICES.get(name)
        quirks.add_argument(flag, choices=choices, default=default, help=HELP[name])
    return main


def _add(
    group: argparse._ArgumentGroup, name: str, kind: Callable[[str], object], text: str
) -> None:
    flag, default = "--" + name.replace("_", "-"), getattr(_DEFAULTS, name)
    group.add_argument(flag, type=kind, default=default, help=text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is interrupted.

    Args:
        arguments: The command line; the process's own where left out.

    Returns:
        0 after an interruption, 1 where it cannot start. (argparse ends with 2 for wrong options.)
    """
    commands = parser()
    given = vars(commands.parse_args(arguments))
    quiet = given.pop("quiet")
    try:
        quirks = Quirks().changed({name: given.pop(name) for name in HELP})
        given |= {name: tuple(given[name]) for name in ("faults", "forbid")}
        options = Options(**given, quirks=quirks)
    except ValueError as error:
        commands.error(str(error))
    try:
        state = State(options)
        listener = server.listen(options)
    except ValueError as error:
        commands.error(str(error))
    except OSError as error:
        where = f"{options.host}:{options.port}"
        return _failed(f"cannot listen on {where}: {error.strerror}; try another --port, or 0")
    if not quiet:
        print(_greeting(server.address(listener), options), flush=True)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):
        server.server(state).run(sockets=[listener])
    return 0


def _failed(message: str) -> int:
    print(f"tap-datto-rmm-sandbox: {message}", file=sys.stderr)  # noqa: T201
    return 1


def _greeting(url: str, options: Options) -> str:
    return "\n".join(
        (
            f"Sandbox ready: {url}/api ({options.devices} devices, seed {options.seed})",
            "Ctrl-C ends it. Environment for the tap:",
            f"TAP_DATTO_RMM_API_URL={url}",
            f"TAP_DATTO_RMM_API_KEY={options.api_key}",
            f"TAP_DATTO_RMM_API_SECRET={options.api_secret}",
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
