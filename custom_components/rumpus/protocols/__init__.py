"""Wire protocols; nothing below here knows Home Assistant."""
