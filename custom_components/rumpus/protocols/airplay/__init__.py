"""AirPlay: one connection that speaks HTTP and RTSP, and the session of a remote control.

The Apple TV reference, part A, sections 5 and 6.
"""
