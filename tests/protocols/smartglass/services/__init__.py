"""Tests of what a console can do."""
