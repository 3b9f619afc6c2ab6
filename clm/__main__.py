"""`python -m clm` and the `clm` script. It may not import Polars: limits must be set first."""

import gc
import os
import signal
import sys

# until `main` listens, Ctrl-C ends the process as SIGTERM does, without a traceback from the middle of an import
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# what is imported stays: looking through all of it for garbage at every 700 new objects takes an eighth of a short command
gc.set_threshold(200_000, 10, 10)

from clm.cli import main, signals  # noqa: E402 - what comes before is for the import


def run() -> None:
    """Streams somebody closed become the null device: the next file opened would otherwise take their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "r" if descriptor == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    signals.insist()
    code = main(sys.argv[1:])
    signals.ignore()
    sys.exit(code)


if __name__ == "__main__":
    run()
