"""Tests of the lobby of Forged Alliance Forever."""
