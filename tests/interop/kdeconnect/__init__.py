"""The real KDE Connect daemons of Debian against a real Home Assistant with Rumpus."""
