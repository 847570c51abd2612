"""Checks against Qt and another WebSocket library, whose formats the lobby of FAF has."""
