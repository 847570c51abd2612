"""Rumpus: the devices of the play room, spoken to natively."""
