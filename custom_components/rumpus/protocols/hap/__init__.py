"""Pairing and encryption of HomeKit's accessory protocol, as Apple's devices use them.

The Apple TV reference, part A, section 2. All of it is sans-I/O; what carries the messages
(Companion, AirPlay, MRP) hands an `Exchange` to `procedures`.
"""
