"""Stages: one verb a file, pure functions from frames to an `Outcome`. No file, clock, terminal or global state in here."""
