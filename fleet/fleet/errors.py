"""What can be wrong with a fleet; each message says in a line or two what to change.

```
FleetError
├── AccountsFileError   accounts.yaml cannot be used
├── SecretError         a secret is missing
├── AccountBusyError    another run of the account is under way
├── WrongAccountError   a key belongs to another account
└── PipeError           the tap, the target or the warehouse failed
    └── ProgramKilledError  from outside: out of memory, for example
```
"""

from __future__ import annotations


class FleetError(Exception):
    """Something that an operator can put right."""


class AccountsFileError(FleetError):
    """The file with the accounts cannot be used; every fault in it has a line."""


class SecretError(FleetError):
    """A secret is neither in the environment nor in a file."""


class AccountBusyError(FleetError):
    """Another run of the account is under way, on this machine or another."""


class WrongAccountError(FleetError):
    """A key belongs to another account than its schema; nothing was written."""


class PipeError(FleetError):
    """The tap, the target or the connection to the warehouse failed."""


class ProgramKilledError(PipeError):
    """A signal from outside ended the tap or the target."""

    def __init__(self, message: str, signal: int) -> None:
        """Keep the signal's number."""
        super().__init__(message)
        self.signal = signal
