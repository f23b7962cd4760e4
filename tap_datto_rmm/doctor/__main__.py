"""The command `tap-datto-rmm-doctor`, which `python -m tap_datto_rmm.doctor` is too."""

from __future__ import annotations

from tap_datto_rmm.starting import started

# isort: split
from tap_datto_rmm.console import run_command
from tap_datto_rmm.doctor.cli import PROGRAM, command


def main() -> None:
    """Run the command, to the end of this process."""
    started()
    run_command(PROGRAM, command)


if __name__ == "__main__":
    main()
