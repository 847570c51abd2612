"""Checks against implementations of other projects."""
