"""The transport: one exchange with real sockets, and why there is no response."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import pytest
import requests
import requests.adapters
from urllib3.connection import HTTPConnection

from tap_datto_rmm.http.deadline import with_deadline
from tap_datto_rmm.http.requests_transport import RequestsTransport
from tap_datto_rmm.http.transport import Cause, Lost, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

TIMEOUT = 0.5
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Generator[str]:
    """A server that says, on each connection, what a test wants; give its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if ended.is_set():
                connection.close()
                return
            with connection, suppress(OSError):  # the client may have gone
                connection.settimeout(5)
                talk(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        ended.set()
        with socket.create_connection(listening.getsockname()):
            pass
        listening.close()
        thread.join()


def whole(body: bytes, headers: bytes = b"") -> Callable[[socket.socket], None]:
    """Answer requests with this body, one after the other, on one connection."""

    def talk(connection: socket.socket) -> None:
        while connection.recv(10_000):
            length = b"Content-Length: %d\r\n" % len(body)
            connection.sendall(HEADERS + headers + length + b"\r\n" + body)

    return talk


def drips(first: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Send a little now and then, for ever: no single wait is long."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(first)
        connection.settimeout(TIMEOUT / 10)
        for _ in range(200):
            connection.sendall(drop)
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return

    return talk


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[RequestsTransport]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made = RequestsTransport("a tool/1.0", TIMEOUT, 2)
    yield made
    made.close()


def cause_of(transport: RequestsTransport, url: str) -> Cause:
    lost = transport.send(Request("GET", url))
    assert isinstance(lost, Lost)
    return lost.cause


def test_a_response_comes_whole_and_its_connection_is_used_again(
    transport: RequestsTransport,
) -> None:
    connections = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        whole(b'{"a": 1}')(connection)

    with server(talk) as url:
        for _ in range(3):
            response = transport.send(Request("GET", f"{url}/api"))
            assert isinstance(response, Response)
            assert (response.status, response.body) == (200, b'{"a": 1}')
            assert response.headers["content-type"] == "application/json"
            assert response.seconds > 0
        transport.close()
    assert len(connections) == 1


def test_a_compressed_body_is_given_as_it_was(transport: RequestsTransport) -> None:
    body = b"[" + b"1," * 100_000 + b"1]"
    with server(whole(gzip.compress(body), b"Content-Encoding: gzip\r\n")) as url:
        response = transport.send(Request("GET", url))
        transport.close()
    assert isinstance(response, Response)
    assert response.body == body


def test_what_is_sent_is_what_was_asked_for(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not what a .netrc says, nor a cookie that the server has set."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    heard = []

    def talk(connection: socket.socket) -> None:
        while said := connection.recv(10_000):
            heard.append(said.decode())
            connection.sendall(HEADERS + b"Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\n{}")

    with server(talk) as url:
        for headers in ({"Authorization": "Bearer x"}, {}):
            transport.send(Request("GET", f"{url}/api", headers, {"max": 2}))
        transport.close()
    first, second = heard
    assert first.startswith("GET /api?max=2 HTTP/1.1\r\n")
    assert "Authorization: Bearer x\r\n" in first
    assert "User-Agent: a tool/1.0\r\n" in first
    assert "Authorization" not in second
    assert "Cookie" not in second


# The time-out is for the whole exchange


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"H", b"T"),
        (HEADERS, b"X-Drop: 1\r\n"),
        (HEADERS + b"X-Long: ", b"a"),
        (HEADERS + b"Content-Length: 1000\r\n\r\n", b" "),
        (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "status line", "headers", "one header", "body", "chunks", "continues"],
)
def test_a_response_that_drips_ends_with_the_time_out(
    transport: RequestsTransport, first: bytes, drop: bytes
) -> None:
    with server(drips(first, drop)) as url:
        lost = transport.send(Request("GET", url))
    assert isinstance(lost, Lost)
    assert lost.cause is Cause.TIME_OUT
    assert lost.seconds < 4 * TIMEOUT  # of the twenty that it would take
    assert lost.timeout == TIMEOUT


def test_the_time_out_begins_anew_with_each_request(transport: RequestsTransport) -> None:
    def talk(connection: socket.socket) -> None:
        while connection.recv(10_000):
            time.sleep(TIMEOUT * 0.6)
            connection.sendall(HEADERS + b"Content-Length: 2\r\n\r\n{}")

    with server(talk) as url:
        replies = [transport.send(Request("GET", url)) for _ in range(3)]
        transport.close()
    assert all(isinstance(reply, Response) for reply in replies)


def test_a_class_of_connections_is_made_once() -> None:
    made = with_deadline(HTTPConnection)
    assert issubclass(made, HTTPConnection)
    assert with_deadline(made) is made


def test_no_thread_is_left_behind(transport: RequestsTransport) -> None:
    before = threading.active_count()
    with server(drips(HEADERS, b"X-Drop: 1\r\n")) as url:
        transport.send(Request("GET", url))
    assert threading.active_count() == before


# Why there is no response


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"no HTTP at all\r\n\r\n"],
    ids=["nothing", "half a body", "another protocol"],
)
def test_a_cut_is_told(transport: RequestsTransport, said: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(said)

    with server(talk) as url:
        assert cause_of(transport, url) is Cause.CUT


def test_a_refused_connection_is_told_with_the_host(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    lost = transport.send(Request("GET", f"http://127.0.0.1:{port}/api"))
    assert isinstance(lost, Lost)
    assert (lost.cause, lost.host) == (Cause.CONNECTION_REFUSED, f"127.0.0.1:{port}")


def test_an_unknown_name_is_told(transport: RequestsTransport) -> None:
    assert cause_of(transport, "https://nowhere.invalid") is Cause.NO_NAME


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Of an authority that nobody knows."""
    folder = tmp_path_factory.mktemp("tls")
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files]
    subprocess.run([*command, "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_an_untrusted_certificate_is_told(
    transport: RequestsTransport, certificate: ssl.SSLContext
) -> None:
    def talk(connection: socket.socket) -> None:
        with certificate.wrap_socket(connection, server_side=True):
            pass

    with server(talk) as url:
        assert cause_of(transport, url.replace("http:", "https:")) is Cause.NOT_TRUSTED


def test_a_server_without_tls_is_told(transport: RequestsTransport) -> None:
    with server(whole(b"{}")) as url:
        assert cause_of(transport, url.replace("http:", "https:")) is Cause.NO_TLS


@pytest.mark.parametrize(
    ("variable", "proxy", "cause"),
    [
        ("HTTP_PROXY", "http://user:pass@127.0.0.1:9", Cause.PROXY),
        ("HTTP_PROXY", "127.0.0.1:9", Cause.PROXY),
        ("ALL_PROXY", "http://127.0.0.1:9", Cause.PROXY),
        ("ALL_PROXY", "socks5://user:pass@127.0.0.1:9", Cause.PROXY),
        ("ALL_PROXY", "socks5h://127.0.0.1:9", Cause.PROXY),
        ("HTTP_PROXY", "not a proxy", Cause.NO_REQUEST),
        ("HTTP_PROXY", "ftp://127.0.0.1:9", Cause.NO_REQUEST),
    ],
)
def test_a_proxy_that_does_not_work_is_told_without_its_password(
    transport: RequestsTransport,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    proxy: str,
    cause: Cause,
) -> None:
    monkeypatch.setenv(variable, proxy)
    lost = transport.send(Request("GET", "http://api.example/api"))
    assert isinstance(lost, Lost)
    assert lost.cause is cause
    assert lost.host == "api.example"
    assert "pass" not in repr(lost)
    if "9" in proxy:
        assert lost.proxy == "127.0.0.1:9"


def test_a_socks_proxy_without_the_package_for_it_is_told(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> NoReturn:
        """Do as requests does where PySocks is not installed."""
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", missing)
    monkeypatch.setenv("ALL_PROXY", "socks5://user:pass@127.0.0.1:9")
    lost = transport.send(Request("GET", "http://api.example/api"))
    assert isinstance(lost, Lost)
    assert (lost.cause, lost.proxy) == (Cause.NO_SOCKS, "127.0.0.1:9")
    assert "pass" not in repr(lost)


def test_through_a_socks_proxy_the_time_out_is_for_the_whole_exchange_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)

    def grant(connection: socket.socket) -> None:
        """Speak SOCKS 5 (RFC 1928), and then for the host that was asked for."""
        connection.recv(100)
        connection.sendall(b"\x05\x00")
        connection.recv(100)
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))

    def answer(connection: socket.socket) -> None:
        grant(connection)
        whole(b"{}")(connection)

    def drip(connection: socket.socket) -> None:
        grant(connection)
        drips(HEADERS, b"X-Drop: 1\r\n")(connection)

    def ask(talk: Callable[[socket.socket], None]) -> Response | Lost:
        with server(talk) as proxy:
            monkeypatch.setenv("ALL_PROXY", proxy.replace("http:", "socks5h:"))
            transport = RequestsTransport("a tool/1.0", TIMEOUT, 2)
            reply = transport.send(Request("GET", "http://api.example/"))
            transport.close()
        return reply

    assert isinstance(ask(answer), Response)
    lost = ask(drip)
    assert isinstance(lost, Lost)
    assert lost.cause is Cause.TIME_OUT
    assert lost.seconds < 4 * TIMEOUT


def test_through_a_proxy_headers_that_drip_end_with_the_time_out_too(
    transport: RequestsTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(drips(HEADERS, b"X-Drop: 1\r\n")) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy)
        for url in ("http://api.example/", "https://api.example/"):  # the second by a tunnel
            lost = transport.send(Request("GET", url))
            assert isinstance(lost, Lost)
            assert lost.seconds < 4 * TIMEOUT
