"""The small shop whose files are damaged."""

from tests.commands.conftest import shop

__all__ = ["shop"]
