"""What a user types, and the texts about what goes wrong."""

from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant

from .flowing import write_helper
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.flow_inputs import (
    MAX_HOST,
    MAX_PATH,
    async_helper_problem,
    clean_host,
    clean_login,
    is_token,
)
from custom_components.rumpus.families.faf.flow_problems import (
    Problem,
    problem_of,
    sign_in_problem,
)
from custom_components.rumpus.families.faf.flow_try import WatchedConnector
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    CertificateFlaw,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    NoTlsError,
    NoWebSocketError,
    PlainRedirectError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
    UntrustedError,
)
from custom_components.rumpus.protocols.faf.transports import TcpConnector
from custom_components.rumpus.protocols.oauth import OAuthError

OWN = LobbyData(server=ServerKind.OWN, account=AccountKind.PASSWORD)
OFFICIAL = LobbyData(server=ServerKind.OFFICIAL, account=AccountKind.OAUTH)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (" Lobby.Example ", "lobby.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("2001:db8:0::1", "2001:db8::1"),
        ("bücher.example", "bücher.example"),
        ("x" * MAX_HOST, "x" * MAX_HOST),
        ("x" * (MAX_HOST + 1), None),
        ("[lobby]", None),
        ("lobby:8002", None),
        ("ws://lobby", None),
        ("a\x00b", None),
        ("", None),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("[fe80::1%].other.example]", None),
        ("fe80::1%a b", None),
        # What they are looked up as is another host, or has a port or a login.
        ("lobby.example\uff0f.other", None),
        ("a\u2100b", None),
        ("me\uff20other.example", None),
        ("lobby\uff1a1", None),
        ("a\uff03b", None),
        ("a\uff1fb", None),
        ("fe80::1%a\uff0fb", None),
        ("lobby\u3002example", "lobby\u3002example"),
    ],
)
def test_host(text: str, host: str | None) -> None:
    assert clean_host(text) == host


@pytest.mark.parametrize(
    ("text", "login"),
    [(" Rhiza ", "Rhiza"), ("a-b_c", "a-b_c"), ("x" * 64, "x" * 64), ("", None)],
)
def test_login(text: str, login: str | None) -> None:
    assert clean_login(text) == login


def test_connector() -> None:
    """The log calls the lobby what it would without us."""
    connector = WatchedConnector(TcpConnector("lobby.example", 8002))
    assert connector.name == "lobby.example:8002"
    assert not connector.is_connected


def test_token() -> None:
    assert is_token("x" * 16 * 1024)
    assert not is_token("x" * (16 * 1024 + 1))


@pytest.mark.parametrize(
    ("error", "lobby", "key"),
    [
        (DisconnectedError(), OWN, "faf_unreachable"),
        (DisconnectedError(), OFFICIAL, "faf_official_unreachable"),
        (PeerTimeoutError(), OWN, "faf_no_answer"),
        (PeerTimeoutError(), OFFICIAL, "faf_official_unreachable"),
        (ProtocolError(), OWN, "faf_not_a_lobby"),
        (MessageTooLargeError(), OWN, "faf_not_a_lobby"),
        (ProtocolError(), OFFICIAL, "faf_official_not_understood"),
        (UnsupportedError(), OWN, "faf_not_a_lobby"),
        (AuthenticationError(), OFFICIAL, "faf_sign_in_refused"),
        (LoginRefusedError(), OFFICIAL, "faf_sign_in_refused"),
        (LoginRefusedError(), OWN, "faf_password_refused"),
        (GatewayRefusedError(), OWN, "faf_gateway_refused"),
        (GatewayRefusedError(), OFFICIAL, "faf_no_permission"),
        (ProofRefusedError(), OFFICIAL, "faf_proof_wanted"),
        (ProofFailedError(), OWN, "faf_helper_failed"),
        (KickedError("Elsewhere"), OWN, "faf_kicked"),
        (NoTlsError(), OWN, "faf_no_tls"),
        (NoTlsError(), OFFICIAL, "faf_official_unreachable"),
        (NoWebSocketError(), OWN, "faf_no_websocket"),
        (NoWebSocketError(), OFFICIAL, "faf_official_unreachable"),
        (PlainRedirectError(), OWN, "faf_leads_to_plain"),
        (PlainRedirectError(), OFFICIAL, "faf_official_not_understood"),
        (UntrustedError(), OFFICIAL, "faf_official_unreachable"),
        *(
            (UntrustedError(flaw), OWN, f"faf_certificate_{flaw.name.lower()}")
            for flaw in CertificateFlaw
        ),
    ],
)
def test_problems(error: RumpusError, lobby: LobbyData, key: str) -> None:
    assert problem_of(error, lobby) == Problem(key)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (BannedError("banned"), Problem("faf_banned", "banned")),
        (RefusedError("no"), Problem("faf_refused_why", "no")),
        (RefusedError(), Problem("faf_refused")),
    ],
)
def test_words_of_the_lobby(error: RumpusError, problem: Problem) -> None:
    assert problem_of(error, OWN) == problem


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (OAuthError("invalid_client"), "faf_sign_in_application"),
        (OAuthError("invalid_grant"), "faf_sign_in_failed"),
        (OAuthError("access_denied"), "faf_sign_in_denied"),
        (PeerTimeoutError(), "faf_sign_in_timed_out"),
        (DisconnectedError(), "faf_sign_in_unreachable"),
        (ProtocolError(), "faf_sign_in_not_understood"),
        (RumpusError(), "faf_sign_in_failed"),
    ],
)
def test_sign_in_problems(error: RumpusError, key: str) -> None:
    assert sign_in_problem(error) == key


def _places(folder: Path) -> dict[str, str]:
    """Put files of all kinds here and there."""
    config, allowed, other = (folder / name for name in ("config", "allowed", "other"))
    for one in (config, allowed, other):
        one.mkdir()
    plain = write_helper(config, "exit 0", "plain")
    plain.chmod(0o600)
    link_out, link_in = config / "link-out", other / "link-in"
    outside = write_helper(other, "exit 0")
    link_out.symlink_to(outside)
    inside = write_helper(config, "exit 0")
    link_in.symlink_to(inside)
    return {
        "inside": str(inside),
        "allowed": str(write_helper(allowed, "exit 0")),
        "relative": "faf-uid",
        "dots": str(config / ".." / "other" / "faf-uid"),
        "outside": str(outside),
        "link out": str(link_out),
        "link in": str(link_in),
        "missing": str(config / "no-such-program"),
        "folder": str(config),
        "plain": str(plain),
        "zero": f"{inside}\0",
        "long": "/" + "x" * MAX_PATH,
        "longest": "/" + "x" * (MAX_PATH - 1),
    }


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("inside", None),
        ("allowed", None),
        ("link in", None),
        ("relative", "faf_helper_not_absolute"),
        ("dots", "faf_helper_not_allowed"),
        ("outside", "faf_helper_not_allowed"),
        ("link out", "faf_helper_not_allowed"),
        ("longest", "faf_helper_not_allowed"),
        ("missing", "faf_helper_missing"),
        ("zero", "faf_helper_missing"),
        ("long", "faf_helper_missing"),
        ("folder", "faf_helper_not_executable"),
        ("plain", "faf_helper_not_executable"),
    ],
)
async def test_helpers(
    hass: HomeAssistant, tmp_path: Path, place: str, problem: str | None
) -> None:
    """A program has to be where only those put files who may."""
    places = await hass.async_add_executor_job(_places, tmp_path)
    hass.config.config_dir = str(tmp_path / "config")
    hass.config.allowlist_external_dirs = {str(tmp_path / "allowed")}
    assert await async_helper_problem(hass, places[place]) == problem
