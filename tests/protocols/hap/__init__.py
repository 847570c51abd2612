"""Tests of pairing and encryption."""
