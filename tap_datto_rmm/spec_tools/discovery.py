"""Where the vendor's description is: asked for, and told what each address answered.

The vendor publishes by springdoc. `swagger-config` lists the documents, one for each group of
paths; before September 2026 one document held everything (docs/datto-rmm-api.md §12).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

from tap_datto_rmm.errors import SpecError
from tap_datto_rmm.settings import PLATFORMS, host_url
from tap_datto_rmm.spec_tools.document import AnotherApiError, Document, Group, mapping, some
from tap_datto_rmm.spec_tools.download import UnreachableError, download, host_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG_PATH: Final = "/api/v3/api-docs/swagger-config"
OLDER_PATHS: Final = ("/api/v3/api-docs/Datto-RMM", "/api/v3/api-docs")
"""Where the whole description was before it was split, newest first."""

MOST_GROUPS: Final = 30
"""The vendor has two or three; a list that is longer is none."""


class Answer(NamedTuple):
    """What an address answered, in words."""

    url: str
    said: str


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        groups: documents of this API.
        missing: what was named and could not be had, each with the reason.
    """

    groups: list[Group] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def __iadd__(self, other: Found) -> Self:
        """Take another one's in."""
        self.groups += other.groups
        self.missing |= other.missing
        return self


class Search:
    """Asks addresses for the description.

    Args:
        timeout: seconds that each answer may take.
    """

    def __init__(self, timeout: float) -> None:
        """Ask nothing yet."""
        self._timeout = timeout
        self.answers: list[Answer] = []
        """What was asked, and what it answered."""

    def platforms(self, first: str) -> Found:
        """Ask a platform; where it does not give all, the others in turn.

        Platforms may be on different builds, so what one of them gives is never mixed with what
        another one gives.

        Args:
            first: the platform to begin with.

        Returns:
            What the first platform gave that gave all; else what the first gave that gave some.
        """
        tried = []
        for platform in sorted(PLATFORMS, key=lambda name: name != first):
            found = self._of_api(host_url({"platform": platform}))
            if found.groups and not found.missing:
                return found
            tried.append(found)
        return next((found for found in tried if found.groups), tried[0])

    def addresses(self, urls: Sequence[str]) -> Found:
        """Ask addresses: of an API, of a list of documents, or of a document.

        Returns:
            What all of them give.

        Raises:
            SpecError: an address is none.
        """
        found = Found()
        for url in urls:
            if parts_of(url).path.strip("/") in {"", "api"}:
                found += self._of_api(host_url({"api_url": url}))
            else:
                found += self._of_address(url)
        return found

    def _of_api(self, base: str) -> Found:
        """Ask one API: its list of documents, or else the older addresses."""
        config = base + CONFIG_PATH
        try:
            found = self._of_config(config, download(config, self._timeout))
        except UnreachableError as error:
            return self._failed(config, error)
        except SpecError as error:
            found = self._failed(config, error)
        tried = [found]
        for path in OLDER_PATHS:
            if not tried[-1].groups:
                tried.append(self._of_address(base + path))
        if tried[-1].groups:
            return tried[-1]
        return Found(missing={url: why for one in tried for url, why in one.missing.items()})

    def _of_address(self, url: str) -> Found:
        """Ask an address that may be of a document or of a list of documents."""
        try:
            content = download(url, self._timeout)
            if _entries(content):
                return self._of_config(url, content)
            group = self._group(urlsplit(url).path.rsplit("/", 1)[-1], url, content)
        except SpecError as error:
            return self._failed(url, error)
        return Found([group])

    def _of_config(self, url: str, config: Any) -> Found:
        """Fetch what a list of documents names.

        Raises:
            SpecError: it is no such list.
        """
        entries = _entries(config)
        if not entries or len(entries) > MOST_GROUPS:
            raise SpecError(f"{url} is no list of documents (`urls` or `url`).")
        self.answers.append(Answer(url, f"lists {some([name for _, name in entries])}"))
        found = Found()
        for given, name in entries:
            address = given or name
            try:
                address = _at_home(given, url)
                content = download(address, self._timeout)
                found.groups.append(self._group(name, address, content))
            except AnotherApiError as error:
                self._note(address, error, "left out: ")
            except SpecError as error:
                self._note(address, error)
                found.missing[name] = str(error)
        if not found.groups and not found.missing:
            raise SpecError(f"{url} lists no document of this API.")
        return found

    def _group(self, name: str, url: str, content: Any) -> Group:
        document = Document(content, url)
        paths = sorted(document.get_paths)
        self.answers.append(Answer(url, f"{document.version}, {len(paths)} paths"))
        return Group(name, document)

    def _failed(self, url: str, error: SpecError) -> Found:
        self._note(url, error)
        return Found(missing={url: str(error)})

    def _note(self, url: str, error: SpecError, what: str = "") -> None:
        self.answers.append(Answer(url, what + str(error).removeprefix(url).strip()))


def platform_of(url: str) -> str:
    """The platform that an address of the vendor's is of; empty for any other address.

    >>> platform_of("https://syrah-api.centrastage.net/api/v3/api-docs/Datto-RMM")
    'syrah'
    """
    hosts = {urlsplit(host_url({"platform": name})).hostname: name for name in PLATFORMS}
    return hosts.get(urlsplit(url).hostname, "")


def _entries(config: Any) -> list[tuple[str, str]]:
    """What a list of documents names: address and name; empty where it is no such list."""
    if not isinstance(config, dict) or "openapi" in config:
        return []
    urls = config.get("urls")
    if not isinstance(urls, list):
        urls = [{"url": config["url"]}] if "url" in config else []
    entries = [mapping(one) for one in urls]
    texts = [[str(one.get(key) or "") for key in ("url", "name")] for one in entries]
    return list(
        dict.fromkeys((url, name or url or "an entry without `url`") for url, name in texts)
    )


def _at_home(given: str, config_url: str) -> str:
    """Keep to the host that was asked, as it was asked: by https, where a list says http.

    Args:
        given: what a list names, relative or not.
        config_url: address of the list.

    Raises:
        SpecError: it is no address, or one on another host.
    """
    if not given:
        raise SpecError(f"{config_url} has an entry without `url`.")
    with suppress(ValueError):
        given = urljoin(config_url, given)
    home, parts = urlsplit(config_url), parts_of(given)
    if host_of(given) != host_of(config_url):
        raise SpecError(f"{given} is on another host, which is not asked.")
    return parts._replace(scheme=home.scheme, netloc=home.netloc).geturl()
