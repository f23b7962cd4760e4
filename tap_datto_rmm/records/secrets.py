"""What never leaves the tap, wherever no schema describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET_PROPERTIES: Final = frozenset({("proxySettings", "password")})
"""Never emitted whatever schema describes them (docs/records.md, "Records"). This rule is code on
purpose: no other document, catalog or custom schema can lift it."""

SECRET_WORDS: Final = ("password", "secret", "token", "apikey")


def is_secret(name: str) -> bool:
    """Whether a property that no schema describes may hold a secret, by its name."""
    return any(word in name.lower() for word in SECRET_WORDS)


def without_secrets(
    value: Any,
    name: str = "",
    is_secret: Callable[[str], bool] = lambda _: False,
) -> Any:
    """Give a value without what never leaves the tap, at whatever depth no schema describes it.

    Args:
        value: any JSON value.
        name: of the property that holds it.
        is_secret: tells by a property's name whether it is left out as well.
    """
    if type(value) is dict:
        shown = {}
        for key, inner in value.items():  # a loop: a comprehension takes twice the stack in 3.11
            if (name, key) not in SECRET_PROPERTIES and not is_secret(key):
                shown[key] = without_secrets(inner, key, is_secret)
        return shown
    if type(value) is list:
        items = []
        for item in value:
            items.append(without_secrets(item, name, is_secret))  # noqa: PERF401 - likewise
        return items
    return value
