"""Tests of the Forged Alliance Forever family."""
