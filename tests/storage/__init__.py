"""Tests of clm/storage/."""
