"""Tests of the Apple TV family."""
