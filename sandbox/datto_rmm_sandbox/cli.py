"""The command `tap-datto-rmm-sandbox`."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from datto_rmm_sandbox import damage, server
from datto_rmm_sandbox.checks import GivenError, did_you_mean
from datto_rmm_sandbox.dates import read_moment
from datto_rmm_sandbox.fault_parts import SELECTORS
from datto_rmm_sandbox.options import RANGES, Options
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
        if wrong := re.search(r"unrecognized arguments: ([^\s=]+)", message):
            message += did_you_mean(wrong[1], self._option_string_actions)
        elif wrong := re.search(r"argument --([\w-]+): invalid choice: '([^']*)'", message):
            message += did_you_mean(wrong[2], CHOICES[wrong[1].replace("-", "_")])
        end = "" if message.endswith("?") else "."
        self.exit(2, f"{self.prog}: {message}{end}\n{self.prog} --help tells all of them.\n")

    def refuse(self, error: ValueError) -> NoReturn:
        """Answer what options say that cannot be.

        Args:
            error: What makes no sense; its name, where it has one, is that of an option.
        """
        if isinstance(error, GivenError):
            self.error(f"argument {_flag(error.name)}: {error.why}")
        self.error(str(error))


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


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def parser() -> _Parser:
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
    _add(account, "devices", "how many devices it has")
    _add(account, "seed", "same seed, size and now: same account")
    _add(account, "now", "its clock, ISO 8601 or ms; left out: a day ago")
    _add(account, "account_name", "its name; left out: one that follows from the seed")
    _add(account, "account_uid", "its uid; left out: one that follows from the seed")
    _add(account, "resolved_alerts", "how many there are; left out: three a device")
    account.add_argument(
        "--live",
        type=_reader("live"),
        nargs="?",
        const=1.0,
        default=_DEFAULTS.live,
        metavar="SPEED",
        help="let it live, this many simulated seconds for each real one",
    )
    door = main.add_argument_group("where and how it is reached")
    _add(door, "host", "a loopback address")
    door.add_argument("--port", type=_reader("port"), default=8080, help="0 takes a free one")
    _add(door, "api_key", "the user name of the token call")
    _add(door, "api_secret", "its password")
    _add(door, "token_seconds", "how long a token lasts")
    door.add_argument("--quiet", action="store_true", help="print nothing when ready")
    limits = main.add_argument_group("limits and delays")
    _add(limits, "rate_limit", "reads in a window, 0 for no limit")
    _add(limits, "rate_window", "its seconds")
    _add(limits, "slow_down_seconds", "delay above 90 %% of the limit")
    _add(limits, "block_after", "refusals in a window that lead to the block (403)")
    _add(limits, "block_seconds", "how long the block lasts")
    _add(limits, "other_client_rate", "calls a minute of another client of the account")
    _add(limits, "latency_ms", "how long each answer takes")
    _add(limits, "page_latency_ms", "how much longer a page of a list takes")
    _add(limits, "jitter_ms", "up to how much longer by chance")
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
        default, choices = getattr(_DEFAULTS.quirks, name), CHOICES.get(name)
        quirks.add_argument(_flag(name), choices=choices, default=default, help=HELP[name])
    return main


def _add(group: argparse._ArgumentGroup, name: str, text: str) -> None:
    default = getattr(_DEFAULTS, name)
    group.add_argument(_flag(name), type=_reader(name), default=default, help=text)


def _reader(name: str) -> Callable[[str], object]:
    """What reads an option: a number of its range, or text."""

    def read(text: str) -> object:
        try:
            if name == "now":
                return read_moment(text)
            return RANGES[name].read(name, text) if name in RANGES else text
        except GivenError as error:
            raise argparse.ArgumentTypeError(error.why) from None
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


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
        state = State(options)
        listener = server.listen(options)
    except ValueError as error:
        commands.refuse(error)
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
