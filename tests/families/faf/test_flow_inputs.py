"""What a user types, and the texts about what goes wrong."""

import pytest

from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.flow_inputs import (
    MAX_HOST,
    clean_host,
    clean_login,
    is_token,
)
from custom_components.rumpus.families.faf.flow_problems import (
    Problem,
    problem_of,
    sign_in_problem,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf.account import OAuthError
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)

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
