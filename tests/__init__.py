"""Tests of Rumpus."""
