"""The command `tap-datto-rmm-spec`, which `python -m tap_datto_rmm.spec_tools` is too."""

from __future__ import annotations

from tap_datto_rmm.starting import started

# isort: split
from tap_datto_rmm.console import run_command
from tap_datto_rmm.spec_tools.cli import PROGRAM
from tap_datto_rmm.spec_tools.cli import main as command


def main() -> None:
    """Run the command, to the end of this process."""
    started()
    run_command(PROGRAM, command)


if __name__ == "__main__":
    main()
