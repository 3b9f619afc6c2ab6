"""Tests of clm/verify/."""
