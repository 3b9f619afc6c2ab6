"""Tests of clm/cli/."""
