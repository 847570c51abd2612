"""Tests of AirPlay."""
