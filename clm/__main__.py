"""`python -m clm` and the `clm` script. It may not import Polars: limits must be set first."""

import os
import sys

from clm.cli import main


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
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
