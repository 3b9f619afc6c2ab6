"""Tests of clm/stages/."""
