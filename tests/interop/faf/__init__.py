"""Checks against Qt and another WebSocket library: the lobby of FAF has their formats."""
