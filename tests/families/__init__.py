"""Tests of the device families in Home Assistant."""
