"""Checks of the fake console against a SmartGlass client of another project."""
