"""The command `tap-datto-rmm-sandbox` as a newcomer runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest
import requests
from datto_rmm_sandbox import Sandbox
from datto_rmm_sandbox.cli import main, parser
from datto_rmm_sandbox.dates import read_moment
from datto_rmm_sandbox.options import Options

COMMAND = [sys.executable, "-m", "datto_rmm_sandbox.cli"]


def test_it_says_when_and_where_it_is_ready_and_ends_quietly() -> None:
    command = [*COMMAND, "--devices", "20", "--port", "0", "--live", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        assert it.stdout
        lines = [it.stdout.readline().strip() for _ in range(5)]
        assert lines[0].startswith("Sandbox ready: http://127.0.0.1:")
        told = dict(line.split("=", 1) for line in lines[2:])
        assert told["TAP_DATTO_RMM_API_KEY"] == "sandbox-key"
        assert told["TAP_DATTO_RMM_API_SECRET"] == "sandbox-secret"
        url = told["TAP_DATTO_RMM_API_URL"]
        assert requests.get(f"{url}/_sandbox/health", timeout=5).json()["devices"] == 20
        it.send_signal(signal.SIGINT)
        out, err = it.communicate(timeout=5)
    assert (it.returncode, out, err) == (0, "", "")


def test_a_taken_port_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(devices=1) as sandbox:
        port = sandbox.url.rsplit(":", 1)[1]
        assert main(["--devices", "1", "--port", port]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"127.0.0.1:{port}" in error


def test_only_loopback_addresses_are_listened_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--devices", "1", "--host", "0.0.0.0"])  # noqa: S104
    assert "loopback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (["--devcies", "5"], " Did you mean --devices?"),
        (["--fault", "stauts=500"], " Did you mean status?"),
        (["--drift", "remov"], " Did you mean remove?"),
        (["--fault", "earthquake"], "wrong-types."),
        (["--fault", "status=503:pth=/x"], "there is no selector 'pth'. Did you mean path?"),
        (["--fault", "reset:evry=3"], "there is no selector 'evry'. Did you mean every?"),
        (["--fault", "hang=2:path=/x:tims=3"], "no selector 'tims'. Did you mean times?"),
        (["--fault", "status=503:colour=red"], ", until."),
        (["--fault", "reset:path"], "a selector must be written NAME=VALUE, not 'path'."),
        (["--fault", "status=503:rate=2"], "rate must be a number from 0 to 1, not 2.0."),
        (
            ["--fault", "reset:first=-1"],
            "first must be a whole number from 0 to 1000000000, not -1.",
        ),
        (["--fault", "reset:until=later"], "or milliseconds since 1970, not 'later'."),
        (["--fault", "reset:method=GTE"], "method must be one of GET, POST, not 'GTE'."),
        (["--fault", "next-page=cirlce"], " Did you mean circle?"),
        (["--fault", "trickle=5"], "trickle takes no value, not '5'."),
        (["--devices", "many"], "a whole number from 0 to 1000000, not 'many'."),
        (["--retry-after", "soon"], "."),
        (["--udf", "7"], "(choose from '300', '30', 'absent')."),
        (["--udf", "10"], "(choose from '300', '30', 'absent')."),
        (["--now", "later"], "must be ISO 8601 or milliseconds since 1970, not 'later'."),
        (["--now", "1795000000"], "from 946684800000 to 4102444800000, not 1795000000."),
        (
            ["--forbid", "["],
            "regular expression, not '[': unterminated character set at position 0.",
        ),
        (["--drift-path", "a{9999999999}"], "the repetition number is too large."),
        (["--port", "99999"], "--port: must be a whole number from 0 to 65535, not 99999."),
        (["--host", "nowhere"], "--host: must be a loopback address, not 'nowhere'."),
    ],
)
def test_a_wrong_option_is_refused_in_two_lines(
    wrong: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--seed", "1", *wrong])
    assert end.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("tap-datto-rmm-sandbox: ")
    assert first.endswith(hint)
    assert second == "tap-datto-rmm-sandbox --help tells all of them."


NUMBERS = {
    name: value
    for of in (Options(), Options().quirks)
    for name in of.__slots__
    if isinstance(value := getattr(of, name), int | float) or value is None
}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_its_range(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    flag = "--" + name.replace("_", "-")
    for wrong in ("-1000000000000000", "1e300", "nan", "x"):
        with pytest.raises(SystemExit) as end:
            main([flag, wrong])
        assert end.value.code == 2
        first, _ = capsys.readouterr().err.splitlines()
        assert f"argument {flag}: must be " in first
    given: dict[str, Any] = {name: -1_000_000_000_000}
    with pytest.raises(ValueError, match=f"{name} must be "):
        Sandbox(**given)


def test_the_ends_of_a_range_are_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    at_the_port = ["--host", "127.0.0.1", "--port", "65536"]
    for wrong in (["--devices", "-1"], ["--rate-limit", "-5"], ["--live", "-3"], at_the_port):
        with pytest.raises(SystemExit):
            main(wrong)
        assert f"argument {wrong[-2]}: must be " in capsys.readouterr().err
    none = Options(devices=0, rate_limit=0, live=0, port=65_535)
    assert Sandbox(none).account.devices == []


def test_the_options_are_those_of_the_python_entry() -> None:
    given = vars(parser().parse_args([]))
    quirks = set(Options().quirks.__slots__)
    names = set(Options.__slots__) - {"quirks"} | quirks | {"quiet"}
    assert set(given) == names
    assert given["live"] == 0
    assert vars(parser().parse_args(["--live"]))["live"] == 1
    assert vars(parser().parse_args(["--live", "60"]))["live"] == 60


def test_the_help_explains_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "--rate-limit" in text
    assert "delay above 90 % of the limit" in text


def test_a_time_is_iso_text_or_milliseconds() -> None:
    at = 1_794_995_200_000
    assert read_moment("2026-11-18T09:46:40Z") == read_moment("2026-11-18 09:46:40") == at
    assert read_moment("1795000000000") == 1_795_000_000_000
