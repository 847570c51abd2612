"""Apple TVs and HomePods: finding them, and one facade over all their protocols."""
