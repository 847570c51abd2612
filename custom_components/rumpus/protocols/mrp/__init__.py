"""MRP, the protocol that tells and changes what an Apple TV plays."""
