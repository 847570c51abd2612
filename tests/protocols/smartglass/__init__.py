"""Tests of the SmartGlass protocol."""
