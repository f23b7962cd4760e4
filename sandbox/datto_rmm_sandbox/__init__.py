"""A faithful, seeded imitation of the Datto RMM API's read side on 127.0.0.1."""

from __future__ import annotations

from datto_rmm_sandbox.options import Options
from datto_rmm_sandbox.server import Sandbox

__all__ = ["Options", "Sandbox"]
