"""Broken input for the decoders, by the million; script/fuzz runs it."""
