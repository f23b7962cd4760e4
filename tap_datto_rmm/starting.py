"""The start of a command: to be imported before all else, by its `__main__` only.

Ctrl-C while the rest is imported ends the process without a word. The garbage collection is off
meanwhile: the imports make a million objects, none of them garbage, which is a third of the time.
"""

from __future__ import annotations

import gc
import signal

INTERRUPTS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if INTERRUPTS:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
gc.disable()


def started() -> None:
    """Go back to what is usual, now that all is imported."""
    gc.freeze()  # what the imports made stays: no collection looks at it again
    gc.enable()
    if INTERRUPTS:
        signal.signal(signal.SIGINT, signal.default_int_handler)
