"""What a peer makes of our own words is told from what is its own."""

from hypothesis import given, settings

from .strategies import texts
from custom_components.rumpus.protocols.kdeconnect.plugins.notification import (
    ECHO_TIME,
    MAX_COMPARED,
    MAX_REMEMBERED,
    EchoGuard,
    Notification,
)


def shown(title: str | None, text: str | None, ticker: str | None) -> Notification:
    """Return a notification of the peer."""
    return Notification("1", app="GSConnect", title=title, text=text, ticker=ticker)


def echoes(*sent: str, of: Notification) -> bool:
    """Return whether a notification is taken for what was sent just before."""
    guard = EchoGuard()
    guard.sent(*sent, now=100.0)
    return guard.is_echo(of, 100.5)


def test_title_and_text_come_back() -> None:
    sent = ("Door", "It is open")

    assert echoes(*sent, of=shown("Door", "It is open", "Door: It is open"))
    assert echoes(*sent, of=shown(None, None, "Door: It is open"))
    assert echoes(*sent, of=shown("Rumpus", "Door: It is open", None))
    assert echoes(*sent, of=shown(" DOOR ", "it  is\nopen", None))


def test_half_of_it_is_no_echo() -> None:
    sent = ("Door", "It is open")

    assert not echoes(*sent, of=shown("Door", "It is closed", "Door: It is closed"))
    assert not echoes(*sent, of=shown("Window", "It is open", "Window: It is open"))


def test_ping_comes_back() -> None:
    assert echoes("Home", "hello", of=shown("Home", "Ping: hello", "Home: Ping: hello"))
    assert echoes("Home", of=shown("Home", "Ping", "Home: Ping"))


def test_a_single_word_has_to_stand_alone() -> None:
    assert echoes("ok", of=shown("Ann", "OK", "Ann: OK"))
    assert echoes("ok", of=shown("Ann", "Ping: ok", None))
    assert not echoes("ok", of=shown("Ann", "okay, joking", "Ann: okay, joking"))
    assert not echoes("ok", of=shown("Ann", "that is ok", None))


def test_nothing_said_is_nothing_heard() -> None:
    assert not echoes(of=shown("Door", "open", None))
    assert not echoes("", " ", of=shown("", "", ""))
    assert not echoes("Door", of=shown(None, None, None))


def test_limit_of_time() -> None:
    guard = EchoGuard()
    guard.sent("Door", now=100.0)
    door = shown("Door", None, None)

    assert guard.is_echo(door, 100.0 + ECHO_TIME)
    assert guard.is_echo(door, 100.0 + ECHO_TIME)
    assert not guard.is_echo(door, 100.1 + ECHO_TIME)


def test_limit_of_remembered() -> None:
    guard = EchoGuard()
    for number in range(MAX_REMEMBERED + 1):
        guard.sent(f"number {number}", now=0.0)

    assert not guard.is_echo(shown("number 0", None, None), 0.0)
    assert guard.is_echo(shown("number 1", None, None), 0.0)
    assert guard.is_echo(shown(f"number {MAX_REMEMBERED}", None, None), 0.0)


def test_limit_of_compared() -> None:
    text = "x" * MAX_COMPARED

    assert echoes(text + "y" * 99, of=shown(None, text + "z", None))
    assert not echoes(text[1:] + "y", of=shown(None, text[1:] + "z", None))


def test_nothing_private_is_shown() -> None:
    guard = EchoGuard()
    guard.sent("secret", now=0.0)

    assert "secret" not in repr(guard)
    assert "secret" not in repr(guard._said)


@settings(deadline=None)
@given(texts, texts)
def test_what_was_sent_is_recognised(title: str, text: str) -> None:
    heard = shown(title or None, text or None, f"{title}: {text}")

    assert echoes(title, text, of=heard) is bool(title.strip() or text.strip())
