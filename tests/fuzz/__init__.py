"""Damaged files by the thousand, the same ones every time."""
