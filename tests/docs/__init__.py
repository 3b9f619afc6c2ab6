"""The documents are tests: generated blocks are fresh, examples run."""
