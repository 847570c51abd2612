"""What a fake Apple TV tells of: a log, and waiting for what is to come.

Of pairing (`protocol`): setup_m1, setup_m3, setup_m5, verify_m1, verify_m3,
setup_refused and verify_refused (state, code, why), pin_shown (pin), pin_hidden,
pin_not_shown, paired (identifier, name), verified (identifier), transient.

Of Companion (`client`, a number): companion_verified, companion_lost, client (name,
installation), request (name), refused (name, code), interest (names), session (started),
evicted, launch (target), account, button (name, length), media (name, seconds), touch
(x, y, phase), touch_ignored, text (length), text_ignored, captions (on), no_op,
unknown_frame, unknown_event, malformed (why).

Of the device: power (state, by), deep (asleep), knocked (port), volume (volume, by),
restarted, stopped, started, moved (address), vanished, came_back, mdns_query (host,
questions), mdns_broken. AirPlay and MRP have events of their own.
"""

from tests.fakes.event_log import LoggedEvent, LoggedEvents

type FakeEvent = LoggedEvent[str, object]


class EventLog(LoggedEvents[str, object]):
    """All events of a device."""
