"""Tests of the Xbox family."""
