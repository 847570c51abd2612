"""Checks against another client of Apple TVs."""
