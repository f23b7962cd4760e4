"""The parts of a running sandbox, in one place for its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datto_rmm_sandbox.account import Account
from datto_rmm_sandbox.checks import pattern
from datto_rmm_sandbox.faults import FaultList
from datto_rmm_sandbox.journal import Journal
from datto_rmm_sandbox.limits import RateLimit
from datto_rmm_sandbox.moves import Moves
from datto_rmm_sandbox.randomness import Topic, dice
from datto_rmm_sandbox.tokens import Tokens

if TYPE_CHECKING:
    from datto_rmm_sandbox.options import Options


class State:
    """What a sandbox knows and how it behaves now; the control plane changes it.

    Args:
        options: How it starts.

    Raises:
        ValueError: A fault or a forbidden path cannot be read.
    """

    def __init__(self, options: Options) -> None:
        """Make the account and the parts around it."""
        self.options = options
        self.quirks = options.quirks
        self.faults = FaultList(options.faults, seed=options.seed)
        self.forbidden = [pattern("forbid", path) for path in options.forbid]
        self.tokens = Tokens(options.api_key, options.api_secret, options.token_seconds)
        self.limit = RateLimit(
            limit=options.rate_limit,
            window=options.rate_window,
            slow_down_seconds=options.slow_down_seconds,
            block_after=options.block_after,
            block_seconds=options.block_seconds,
            other_rate=options.other_client_rate,
        )
        self.journal = Journal()
        self.dice = dice(options.seed, Topic.FAULT)
        self.moves = Moves()
        self.account = Account(
            options.devices,
            options.seed,
            options.now,
            name=options.account_name,
            uid=options.account_uid,
            resolved_alerts=options.resolved_alerts,
        )
