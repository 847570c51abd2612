"""What goes wrong with a lobby, in words of its own."""

import json
from pathlib import Path

import pytest

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.rumpus.families.faf.errors import error_key, faf_errors
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)

ROOT = Path(__file__).parents[3] / "custom_components" / "rumpus"
KEYS = {
    KickedError(): "faf_signed_out_elsewhere",
    BannedError(): "faf_account_banned",
    ProofRefusedError(): "faf_proof_not_accepted",
    ProofFailedError(): "faf_proof_not_made",
    RefusedError(): "faf_command_refused",
    UnsupportedError(): "faf_not_supported",
    DisconnectedError(): "faf_not_connected",
    PeerTimeoutError(): "faf_timed_out",
    LoginRefusedError(): "faf_sign_in_refused",
    GatewayRefusedError(): "faf_sign_in_refused",
    AuthenticationError(): "faf_sign_in_refused",
    ProtocolError(): "faf_failed",
}


@pytest.mark.parametrize(("error", "key"), list(KEYS.items()))
def test_texts(error: RumpusError, key: str) -> None:
    """Every error has a text, with the name of the lobby in it."""
    assert error_key(error) == key
    texts = json.loads((ROOT / "translations" / "en.json").read_text())
    assert "{name}" in texts["exceptions"][key]["message"]


def test_translation() -> None:
    """What cannot be done at all is no failure of the lobby's."""
    with pytest.raises(ServiceValidationError) as refused, faf_errors("Ours"):
        raise UnsupportedError("no")
    assert refused.value.translation_key == "faf_not_supported"
    with pytest.raises(HomeAssistantError) as failed, faf_errors("Ours"):
        raise PeerTimeoutError("no")
    assert not isinstance(failed.value, ServiceValidationError)
    assert failed.value.translation_placeholders == {"name": "Ours"}
