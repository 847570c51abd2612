"""Paired devices as entry data and back."""

import ssl

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.kde_connect.data import (
    NotPairedError,
    entry_data,
    paired_device,
)
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice

_CERTIFICATE = Credentials.generate().certificate
_TYPES = st.text(st.characters(codec="ascii"), max_size=8)

paired_devices = st.builds(
    PairedDevice,
    device_id=st.text(min_size=32, max_size=38),
    certificate=st.just(_CERTIFICATE),
    name=st.text(min_size=1, max_size=32),
    device_type=st.sampled_from(DeviceType),
    protocol_version=st.sampled_from([7, 8]),
    address=st.none() | st.ip_addresses(v=4).map(str),
    port=st.integers(1716, 1764),
    incoming=st.frozensets(_TYPES),
    outgoing=st.frozensets(_TYPES),
)


@given(paired_devices)
def test_there_and_back(paired: PairedDevice) -> None:
    assert paired_device(entry_data(paired)) == paired


@pytest.mark.parametrize(
    "certificate", ["", "nonsense", ssl.DER_cert_to_PEM_cert(b"nonsense"), "\udcff"]
)
def test_unusable_certificate(certificate: str) -> None:
    data = {"certificate": certificate}
    with pytest.raises(NotPairedError):
        paired_device(data)
