"""Text that wants to be more than text."""
