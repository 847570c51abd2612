"""TLS contexts, and the certificates that the other side may have (section 6)."""

from pathlib import Path
import ssl
import stat
import tempfile
import threading

from hypothesis import given, strategies as st
import pytest

from .support import fake_credentials, our_credentials
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.kdeconnect import tls as tls_module
from custom_components.rumpus.protocols.kdeconnect.tls import (
    TlsContexts,
    leaf_of_certificate_message,
)


@pytest.fixture
def contexts() -> TlsContexts:
    return TlsContexts(our_credentials())


def certificate_message(certificates: list[bytes]) -> bytes:
    """Return a Certificate message as TLS 1.2 has it."""
    chain = b"".join(len(der).to_bytes(3) + der for der in certificates)
    body = len(chain).to_bytes(3) + chain
    return b"\x0b" + len(body).to_bytes(3) + body


def files_in(folder: Path) -> list[Path]:
    """Return what is left there."""
    return list(folder.iterdir())


def observer(context: ssl.SSLContext) -> tls_module._MessageCallback:
    """Return what a learning context watches its handshakes with."""
    callback: tls_module._MessageCallback = getattr(context, "_msg_callback")  # noqa: B009 - private
    return callback


# Contexts


async def test_client_accepts_any_certificate_and_is_made_once(
    contexts: TlsContexts,
) -> None:
    context = await contexts.client()
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname
    assert context is await contexts.client()


async def test_pinned_server_trusts_one_certificate_whatever_its_dates_and_extensions(
    contexts: TlsContexts,
) -> None:
    pin = fake_credentials().certificate_der
    context = await contexts.pinned_server(pin)
    assert context.verify_mode is ssl.CERT_REQUIRED
    # Certificates of such kinds are no authorities, so OpenSSL lists none.
    assert context.cert_store_stats()["x509"] == 1
    flags = context.verify_flags
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not flags & ssl.VERIFY_X509_STRICT
    assert flags & 0x200000  # no check of the time


async def test_pinned_server_is_kept_until_forgotten(contexts: TlsContexts) -> None:
    pin = fake_credentials().certificate_der
    context = await contexts.pinned_server(pin)
    assert context is await contexts.pinned_server(pin)
    contexts.forget(pin)
    contexts.forget(pin)
    assert context is not await contexts.pinned_server(pin)


async def test_once_server_is_not_kept(contexts: TlsContexts) -> None:
    pin = fake_credentials().certificate_der
    assert await contexts.once_server(pin) is not await contexts.once_server(pin)
    assert not contexts._pinned


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x00", b"garbage" * 50, fake_credentials().certificate_der[:-1]],
    ids=["empty", "short", "long", "cut"],
)
async def test_certificate_that_is_none_is_a_protocol_error(
    contexts: TlsContexts, garbage: bytes
) -> None:
    with pytest.raises(ProtocolError):
        await contexts.once_server(garbage)
    with pytest.raises(ProtocolError):
        await contexts.pinned_server(garbage)
    assert not contexts._pinned


async def test_all_contexts_take_tls_1_2_and_nothing_older(
    contexts: TlsContexts,
) -> None:
    learning = await contexts.learning_server(lambda _: None)
    assert learning is not None
    pin = fake_credentials().certificate_der
    for context in (
        await contexts.client(),
        await contexts.pinned_server(pin),
        await contexts.once_server(pin),
        learning,
    ):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        names = {cipher["name"] for cipher in context.get_ciphers()}
        # What old KDE programs restrict themselves to (section 6.2).
        assert "ECDHE-ECDSA-AES256-GCM-SHA384" in names
        assert "ECDHE-RSA-AES128-GCM-SHA256" in names


async def test_learning_server_refuses_everybody_in_tls_1_2(
    contexts: TlsContexts,
) -> None:
    """TLS 1.3 could carry the certificate compressed."""
    context = await contexts.learning_server(lambda _: None)
    assert context is not None
    assert context.maximum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509"] == 0


async def test_learning_server_reports_only_what_the_peer_presents(
    contexts: TlsContexts,
) -> None:
    learned: list[bytes] = []
    context = await contexts.learning_server(learned.append)
    assert context is not None
    observe = observer(context)
    message = certificate_message([b"leaf", b"issuer"])
    observe(None, "write", 0x303, 22, 11, message)
    observe(None, "read", 0x303, 22, 12, message)
    observe(None, "read", 0x303, 22, 11, message[:9])
    assert learned == []
    observe(None, "read", 0x303, 22, 11, message)
    assert learned == [b"leaf"]


async def test_no_learning_server_where_handshakes_cannot_be_watched(
    contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: ssl.SSLContext) -> None:
        raise AttributeError("_msg_callback")

    monkeypatch.setattr(ssl.SSLContext, "_msg_callback", property(missing))
    assert await contexts.learning_server(lambda _: None) is None


# The key


async def test_key_is_on_disk_for_its_owner_only_and_not_for_long(
    contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[int, int, bool]] = []
    load = ssl.SSLContext.load_cert_chain

    def watch(context: ssl.SSLContext, chain: Path) -> None:
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (chain, chain.parent)]
        seen.append(
            (modes[0], modes[1], our_credentials().private_key_pem in chain.read_text())
        )
        load(context, chain)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watch)
    await contexts.client()
    assert seen == [(0o600, 0o700, True)]
    assert files_in(tmp_path) == []


async def test_key_is_gone_from_disk_when_loading_fails(
    contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(context: ssl.SSLContext, chain: Path) -> None:
        raise ssl.SSLError("no")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", fail)
    with pytest.raises(ssl.SSLError):
        await contexts.client()
    assert files_in(tmp_path) == []


async def test_contexts_are_built_outside_the_event_loop(
    contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading files would hold the loop up."""
    threads: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def watch(context: ssl.SSLContext, chain: Path) -> None:
        threads.append(threading.get_ident())
        load(context, chain)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watch)
    pin = fake_credentials().certificate_der
    await contexts.client()
    await contexts.pinned_server(pin)
    await contexts.once_server(pin)
    await contexts.learning_server(lambda _: None)
    assert len(threads) == 4
    assert threading.get_ident() not in threads


# The Certificate message


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=4))
def test_leaf_of_a_list_is_its_first_certificate(certificates: list[bytes]) -> None:
    assert (
        leaf_of_certificate_message(certificate_message(certificates))
        == certificates[0]
    )


@given(st.binary(max_size=100))
def test_leaf_of_arbitrary_bytes_never_raises(data: bytes) -> None:
    leaf = leaf_of_certificate_message(data)
    assert leaf is None or (leaf and leaf in data)


@given(
    st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=2),
    st.integers(0, 120),
)
def test_leaf_of_a_cut_message_is_whole_or_none(
    certificates: list[bytes], size: int
) -> None:
    message = certificate_message(certificates)[:size]
    assert leaf_of_certificate_message(message) in {None, certificates[0]}


def test_leaf_of_a_list_without_certificates_is_none() -> None:
    assert leaf_of_certificate_message(certificate_message([])) is None
