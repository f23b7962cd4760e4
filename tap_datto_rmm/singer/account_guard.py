"""Whose account it is: a key or a state of another one is refused before a record is written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_datto_rmm.errors import RequestError, TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_datto_rmm.settings import Settings
    from tap_datto_rmm.singer.bookmark import Bookmark

logger = logging.getLogger("tap-datto-rmm")


class AccountError(TapError):
    """The key belongs to another account than the settings or the state say, or to one unknown."""


def identify(
    read: Callable[[], Mapping[str, Any]], settings: Settings
) -> tuple[str | None, str | None]:
    """Find out whose account it is.

    Args:
        read: gives the account's row.
        settings: say whether it must be known.

    Returns:
        The account's uid and name; None where they may not be read.

    Raises:
        AccountError: it cannot be known where it must.
        RequestError: no request would do better.
    """
    try:
        row = read()
    except RequestError as error:
        if error.ends_the_run:
            raise
        return _unknown(settings, error)
    uid, name = row.get("uid"), row.get("name")
    if not isinstance(uid, str) or not uid:
        return _unknown(settings, "/v2/account: the answer has no uid.")
    return uid, name if isinstance(name, str) else None


def refuse_others(uid: str, name: str | None, settings: Settings, bookmark: Bookmark) -> None:
    """Hold the account against the settings and the state; the state remembers it from now on.

    Args:
        uid: of the account.
        name: of the account.
        settings: `account_uid` names the account that the key must belong to.
        bookmark: of the stream `account`.

    Raises:
        AccountError: it is another account.
    """
    if settings.account_uid not in {None, uid}:
        raise AccountError(
            f"The key belongs to the account {_words(uid, name)}, but `account_uid` names "
            f"{settings.account_uid}. Give the key of that account, or correct `account_uid`."
        )
    before = bookmark.get("account_uid")
    if before not in {None, uid}:
        raise AccountError(
            f"The key belongs to the account {_words(uid, name)}, but the state is of the account "
            f"{_words(before, bookmark.get('account_name'))}. Remove the state to read this "
            "account anew, or give the key that belongs to it."
        )
    bookmark.set("account_uid", uid)
    bookmark.set("account_name", name)


def _unknown(settings: Settings, why: object) -> tuple[None, None]:
    needed = [n for n in ("account_uid", "account_column") if getattr(settings, n)]
    if needed:
        raise AccountError(
            f"`{needed[0]}` is set, but the account cannot be read: {why} Allow the API user to "
            f"read the account, or leave `{needed[0]}` out."
        )
    logger.warning("Whose account it is cannot be known, so that no other is refused: %s", why)
    return None, None


def _words(uid: str, name: str | None) -> str:
    return f"{name} ({uid})" if name else uid
