"""The KDE Connect protocol."""
