"""Simulated devices for the tests."""
