"""The shell: argv in, exit code out. Every error becomes a message and a code here, and nowhere else."""

from clm.cli.app import main

__all__ = ["main"]
