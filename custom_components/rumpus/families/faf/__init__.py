"""Forged Alliance Forever lobbies: who is online, and what is played."""
