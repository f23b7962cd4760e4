"""The command `tap-datto-rmm`: an expected failure is one line and exit code 1."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys

INTERRUPTS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if INTERRUPTS:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while importing ends it, without a word
gc.disable()  # the imports make a million objects, none of them garbage: a third of the time

from tap_datto_rmm.console import standard_streams, with_log
from tap_datto_rmm.errors import TapError
from tap_datto_rmm.singer.output import Stopped
from tap_datto_rmm.tap import TapDattoRMM

logger = logging.getLogger(TapDattoRMM.name)


def main() -> None:
    """Run the tap's command line.

    Raises:
        SystemExit: always; 0 on success, 1 on failure. A signal ends with 128 and its number.
    """
    gc.freeze()  # what the imports made stays: no collection looks at it again, nor does the exit
    gc.enable()
    if INTERRUPTS:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with standard_streams(TapDattoRMM.name):
        try:
            with_log(lambda: TapDattoRMM.cli)()
        except TapError as error:
            for line in str(error).splitlines():
                logger.error(line)  # noqa: TRY400 - no traceback
            sys.exit(1)
        except Stopped as stopped:
            logger.warning(stopped)
            os._exit(stopped.code)  # at once: threads may wait for the API, or the target not read


if __name__ == "__main__":
    main()
