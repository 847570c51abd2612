"""Tests of the KDE Connect protocol."""
