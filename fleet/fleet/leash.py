"""Runs a command that the kernel kills when the process that started it is gone, however it went.

`python leash.py PARENT COMMAND...`: the command takes this process over. It is used as a file, not
as a module, so that it starts in ten milliseconds.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the signal, see that the parent is still there, become the command."""
    parent, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):  # it died before the kernel knew
        sys.exit(128 + signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606 - the command that was asked for, without a shell


if __name__ == "__main__":
    main()
