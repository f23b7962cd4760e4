"""Key, secret, token and passwords are in nothing that the tap prints, in no scenario, at DEBUG."""

from __future__ import annotations

import json
import ssl
import subprocess
import traceback
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import pytest
from typing_extensions import override

from tap_datto_rmm.api.connection import connect, service_of
from tap_datto_rmm.errors import UnreachableError
from tap_datto_rmm.http.auth import Grant, Token
from tap_datto_rmm.settings import Settings
from tap_datto_rmm.tap import TapDattoRMM
from tests.conftest import fast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from datto_rmm_sandbox import Sandbox

    from tests.commands import QuickTapCommand, Run, TapCommand

KEY: Final = "key-WHGLBXIWDMBHPVSB"
SECRET: Final = "s3cr3t+/=&-QKWLAYXUPFSC"
PROXY_PASSWORD: Final = "pr0xy-JWNRTUYQ"
AT_DEBUG = {"LOGLEVEL": "DEBUG", "TAP_DATTO_RMM_LOGLEVEL": "DEBUG"}
IMPATIENT = {
    "patience": 0.1,
    "first_patience": 0.1,
    "outage": 0.1,
    "longest_wait": 0.05,
    "refused": 0,
}


@pytest.fixture(autouse=True)
def at_debug(quick: QuickTapCommand) -> None:
    """Let every run tell all that it can."""
    quick.environment |= AT_DEBUG


def assert_that_nothing_leaks(run: Run, *more: str) -> None:
    for printed in (run.out, run.err):
        for secret in (KEY, SECRET, PROXY_PASSWORD, "QKWLAYXUPFSC", *more):
            assert secret not in printed


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, {}),
        ({}, {"api_secret": SECRET + "x"}),
        ({}, {"api_key": ""}),
        ({}, {"platform": "nowhere", "api_secret": 7}),
        ({}, {"api_url": "http://127.0.0.1:9"}),
        ({}, {"api_url": f"https://user:{SECRET}@127.0.0.1:9"}),
        ({"token_failure": "400"}, {"api_key": KEY + "x"}),
        ({"faults": ("status=401:path=/v2/",)}, {}),
        ({"faults": ("status=500:path=/auth/",)}, {}),
        ({"faults": ("status=503:path=/v2/account",)}, {}),
        ({"faults": ("html:path=/v2/account",)}, {}),
        ({"faults": ("cut-json:path=/auth/",)}, {}),
        ({"faults": ("reset:path=/v2/audit",)}, {}),
        ({"faults": ("redirect:path=/v2/account",)}, {}),
        ({"faults": ("redirect:path=/auth/",)}, {}),
        ({"faults": ("next-page=other-host:path=/v2/account",)}, {"page_size": 5}),
        ({"faults": ("error-in-200:path=/v2/",)}, {}),
        ({"faults": ("wrong-types:path=/v2/",)}, {"keep_unknown_properties": True}),
        ({"faults": ("unknown-keys:path=/v2/",)}, {"keep_unknown_properties": True}),
        ({"forbid": ("/v2/account/",)}, {}),
        ({"rate_limit": 10, "block_after": 1}, {}),
    ],
)
def test_no_scenario_shows_a_secret(
    sandbox: Callable[..., Sandbox],
    quick: QuickTapCommand,
    options: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    account = sandbox(devices=20, api_key=KEY, api_secret=SECRET, **options)
    quick.patience = IMPATIENT
    run = quick(fast(account, **settings))
    assert_that_nothing_leaks(run, *account.state.tokens._good)
    if account.requests:
        assert "urllib3.connectionpool" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    "arguments",
    [("--about",), ("--about", "--format=json"), ("--discover",), ("--help",), ("--version",)],
)
def test_no_command_shows_a_secret(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand, arguments: tuple[str, ...]
) -> None:
    account = sandbox(devices=1, api_key=KEY, api_secret=SECRET)
    run = quick(fast(account), *arguments)
    assert run.code == 0
    assert_that_nothing_leaks(run)


def test_a_file_that_is_no_json_is_not_quoted(quick: QuickTapCommand) -> None:
    file = quick.folder / "broken.json"
    file.write_text(f'{{"api_secret": "{SECRET}', encoding="utf-8")
    run = quick(None, "--config", str(file))
    assert run.code == 1
    assert_that_nothing_leaks(run)


def test_the_environment_is_not_shown(
    sandbox: Callable[..., Sandbox], quick: QuickTapCommand
) -> None:
    account = sandbox(devices=5, api_key=KEY, api_secret=SECRET)
    given = {f"TAP_DATTO_RMM_{name.upper()}": value for name, value in account.settings.items()}
    quick.environment |= given
    run = quick(None, "--config=ENV")
    assert run.code == 0
    assert_that_nothing_leaks(run, *account.state.tokens._good)


def test_the_process_list_shows_no_secret(sandbox: Callable[..., Sandbox], tap: TapCommand) -> None:
    account = sandbox(devices=1, api_key=KEY, api_secret=SECRET)
    command = tap.arguments(account.settings)
    assert KEY not in " ".join(command)
    assert SECRET not in " ".join(command)
    options = {option.name for option in TapDattoRMM.cli.params}
    assert not options & {"api_key", "api_secret"}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, Path]]:
    """A server that nobody vouches for; its URL and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    files = "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with echo(context) as url:
        yield url, folder / "cert.pem"


@contextmanager
def echo(tls: ssl.SSLContext | None = None) -> Generator[str]:
    """A server whose every answer, an error, quotes what it was sent, headers and body."""

    class Echoes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = f"{sent} {dict(self.headers)} {TOKEN}"
            body = json.dumps({"message": said, "error": said})
            self.send_response(500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        @override
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echoes) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


def test_a_server_that_quotes_what_it_was_sent_is_not_quoted(quick: QuickTapCommand) -> None:
    with echo() as url:
        quick.patience = IMPATIENT
        config = {"api_url": url, "api_key": KEY, "api_secret": SECRET}
        run = quick(config)
    assert run.code == 1
    assert "/auth/oauth/token: HTTP 500." in run.err
    assert_that_nothing_leaks(run, TOKEN, "s3cr3t")


@pytest.mark.parametrize("address", ["http://user:{}@127.0.0.1:9", "not a proxy {}"])
def test_the_password_of_a_proxy_is_not_shown(quick: QuickTapCommand, address: str) -> None:
    quick.patience = IMPATIENT
    config = {"platform": "merlot", "api_key": KEY, "api_secret": SECRET}
    quick.environment |= {"HTTPS_PROXY": address.format(PROXY_PASSWORD), "NO_PROXY": ""}
    run = quick(config)
    assert run.code == 1
    assert "HTTPS_PROXY" in run.err.splitlines()[-1]
    assert_that_nothing_leaks(run)


def test_a_bundle_of_certificates_that_is_not_there_is_named(quick: QuickTapCommand) -> None:
    quick.patience = IMPATIENT
    quick.environment["REQUESTS_CA_BUNDLE"] = "/nowhere.pem"
    run = quick({"api_url": "https://127.0.0.1:9", "api_key": KEY, "api_secret": SECRET})
    assert run.code == 1
    assert "check REQUESTS_CA_BUNDLE" in run.err.splitlines()[-1]
    assert "Traceback" not in run.err


@pytest.mark.parametrize("name", ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PYTHONHTTPSVERIFY"])
@pytest.mark.parametrize("value", ["", "0", "false"])
def test_no_variable_switches_the_check_of_certificates_off(
    quick: QuickTapCommand, tls: tuple[str, Path], name: str, value: str
) -> None:
    url, _ = tls
    quick.patience = IMPATIENT
    for variable in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        quick.environment[variable] = ""
    quick.environment[name] = value
    run = quick({"api_url": url, "api_key": KEY, "api_secret": SECRET})
    assert run.code == 1
    assert "the TLS certificate is not trusted" in run.err.splitlines()[-1]


def test_a_certificate_of_ones_own_is_trusted_by_its_bundle(
    quick: QuickTapCommand, tls: tuple[str, Path]
) -> None:
    url, certificate = tls
    quick.patience = IMPATIENT
    quick.environment["REQUESTS_CA_BUNDLE"] = str(certificate)
    run = quick({"api_url": url, "api_key": KEY, "api_secret": SECRET})
    assert run.err.splitlines()[-1].endswith("/auth/oauth/token: HTTP 500.")


def test_nothing_that_a_traceback_may_show_holds_a_secret() -> None:
    config = {"api_url": "http://127.0.0.1:9", "api_key": KEY, "api_secret": SECRET}
    settings = Settings.from_config(TapDattoRMM(config=config).config)
    client, service = connect(settings), service_of(settings)
    token, grant = Token(TOKEN, 0.0, 60.0), Grant(TOKEN, 60.0)
    asks = service.token_request(), service.request("/v2/account", headers=token.headers)
    for one in (settings, client, service, *asks, token, grant):
        for text in (repr(one), str(one), f"{one}"):
            assert KEY not in text
            assert SECRET not in text
            assert TOKEN not in text
    assert asdict(token)["value"] == TOKEN
    with pytest.raises(UnreachableError) as raised:
        client.token()
    client.close()
    shown = "".join(traceback.format_exception(raised.value))
    assert "127.0.0.1:9" in shown
    assert SECRET not in shown
