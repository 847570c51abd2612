"""Benchmarks: our protocols side by side with other implementations."""
