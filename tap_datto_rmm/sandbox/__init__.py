"""A faithful, seeded imitation of the Datto RMM API's read side on 127.0.0.1.

It needs the package's extra `sandbox`; `Sandbox` is imported on first use, so that the command line
can say so in one sentence where the extra is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_datto_rmm.sandbox.options import Options
    from tap_datto_rmm.sandbox.server import Sandbox

__all__ = ["Options", "Sandbox"]


def __getattr__(name: str) -> object:
    """Import `Sandbox` or `Options` on first use.

    Args:
        name: What is asked for.

    Returns:
        The class.

    Raises:
        AttributeError: For any other name.
    """
    if name == "Sandbox":
        from tap_datto_rmm.sandbox.server import Sandbox  # noqa: PLC0415

        return Sandbox
    if name == "Options":
        from tap_datto_rmm.sandbox.options import Options  # noqa: PLC0415

        return Options
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
