"""Xbox consoles, over SmartGlass."""
