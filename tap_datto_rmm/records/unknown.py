"""What an item holds that the spec does not know: counted, and kept where a column takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_datto_rmm.records.secrets import SECRET_PROPERTIES, is_secret, without_secrets

if TYPE_CHECKING:
    from tap_datto_rmm.records.data_issues import DataIssues


class UnknownProperties:
    """Collects the unknown properties of one item after the other.

    Args:
        issues: counts them.
        kept: whether a column takes them.
    """

    def __init__(self, issues: DataIssues, *, kept: bool) -> None:
        """Know of none yet."""
        self.kept = kept
        self.of_item: dict[str, Any] = {}
        """Values of the item at hand, by path; those inside an array as a list."""
        self._issues = issues
        self._arrays: set[tuple[str, ...]] = set()

    def array_at(self, path: tuple[str, ...]) -> None:
        """Learn that what is below a path may come several times in one item."""
        self._arrays.add(path)

    def meet(self, path: tuple[str, ...], value: Any) -> None:
        """Count an unknown property, and keep its value where it is no secret."""
        if path[-2:] in SECRET_PROPERTIES:
            return
        where = ".".join(path)
        self._issues.unknown_property(where, kept=self.kept)
        if not self.kept or is_secret(path[-1]):
            return
        try:
            value = without_secrets(value, path[-1], is_secret)
        except RecursionError:
            value = None
        if any(path[:length] in self._arrays for length in range(1, len(path))):
            self.of_item.setdefault(where, []).append(value)
        else:
            self.of_item[where] = value
