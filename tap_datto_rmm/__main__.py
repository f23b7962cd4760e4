"""The command `tap-datto-rmm`: an expected failure is one line and exit code 1."""

from __future__ import annotations

from tap_datto_rmm.starting import started

# isort: split
import logging

from tap_datto_rmm.console import run_command, with_log
from tap_datto_rmm.tap import TapDattoRMM


def main() -> None:
    """Run the tap's command line, to the end of this process."""
    started()
    run_command(TapDattoRMM.name, command, logging.getLogger(TapDattoRMM.name))


def command() -> None:
    """Run the SDK's command, once there is a log."""
    with_log(lambda: TapDattoRMM.cli)()


if __name__ == "__main__":
    main()
