"""`python -m clm` and the `clm` script. It may not import Polars: limits must be set first."""

import sys

from clm.cli import main


def run() -> None:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
