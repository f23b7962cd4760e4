"""One download of the vendor's: whole, in time, and from the host that was asked."""

from __future__ import annotations

import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as ReadTimeoutError

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.settings import LOOPBACK_HOSTS, package_version
from tap_datto_rmm.spec_tools.document import decoded

MOST_BYTES: Final = 20_000_000
"""Seventy times build 235."""
MOST_REDIRECTS: Final = 3
CHUNK: Final = 65_536


class UnreachableError(SpecError):
    """The host does not answer at all: it need not be asked for anything else."""


def download(url: str, timeout: float) -> Any:
    """Download JSON.

    Args:
        url: https, or http on this machine.
        timeout: seconds for all of it.

    Raises:
        UnreachableError: nothing came.
        SpecError: it did not come whole, or is no JSON.
    """
    ends = time.monotonic() + timeout
    headers = {
        "Accept": "application/json",
        "User-Agent": f"tap-datto-rmm-spec/{package_version()}",
    }
    at, home = url, host_of(url)
    try:
        with requests.Session() as session:
            for _ in range(MOST_REDIRECTS + 1):
                _check_address(at, home)
                left = max(ends - time.monotonic(), 0.001)
                with session.get(
                    at, headers=headers, timeout=left, stream=True, allow_redirects=False
                ) as response:
                    if not response.is_redirect:
                        return decoded(_body(response, url, ends, timeout), url)
                    at = urljoin(at, response.headers["location"])
    except (requests.Timeout, ReadTimeoutError):
        raise _too_slow(url, timeout) from None
    except requests.ConnectionError as error:
        raise UnreachableError(f"{url} did not answer ({type(error).__name__}).") from None
    except (requests.RequestException, HTTPError) as error:
        why = type(error).__name__
        raise SpecError(f"{url} did not answer to the end ({why}).") from None
    except ValueError:  # requests looks at a redirect itself
        raise SpecError(f"{url} leads to what is no address.") from None
    raise SpecError(f"{url} leads on and on.")


def parts_of(url: str) -> SplitResult:
    """Take an address apart.

    Raises:
        SpecError: it is none.
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # which raises where it is none
        if parts.hostname:
            return parts
    raise SpecError(f"{url} is no address such as https://merlot-api.centrastage.net.")


def host_of(url: str) -> tuple[str | None, int | None]:
    """Host and port of an address; None for the port that its scheme has anyway.

    Raises:
        SpecError: it is no address.
    """
    parts = parts_of(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.hostname, None if parts.port == usual else parts.port


def _check_address(url: str, home: tuple[str | None, int | None]) -> None:
    parts = parts_of(url)
    if host_of(url) != home:
        raise SpecError(f"The address leads to another host, {url}, which is not followed.")
    secure = parts.scheme == "https"
    if not secure and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise SpecError(f"{url} is not https, which only addresses of this machine may do without.")


def _body(response: requests.Response, url: str, ends: float, timeout: float) -> bytes:
    if response.status_code != HTTPStatus.OK:
        raise SpecError(f"{url} answered HTTP {response.status_code}.")
    body = bytearray()
    # `iter_content` would wait for whole chunks, however slowly they trickle in.
    while part := response.raw.read1(CHUNK, decode_content=True):
        body += part
        if time.monotonic() > ends:
            raise _too_slow(url, timeout)
        if len(body) > MOST_BYTES:
            raise SpecError(
                f"{url} sends more than {MOST_BYTES:,} bytes: that is no such document."
            )
    if body.lstrip()[:1] == b"<":
        raise SpecError(f"{url} answered with a web page.")
    if not body:
        raise SpecError(f"{url} sent nothing.")
    return bytes(body)


def _too_slow(url: str, timeout: float) -> UnreachableError:
    return UnreachableError(f"{url} took longer than {timeout:g} s. Give it more with `--timeout`.")
