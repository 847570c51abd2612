"""Tests of the KDE Connect family."""
