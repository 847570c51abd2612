"""The Companion link of Apple TVs and HomePods (the Apple TV reference, part A, section 4)."""
