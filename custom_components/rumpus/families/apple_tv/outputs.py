"""The devices that play along with one: their names, and which of them are entities of ours."""

from typing import Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util.signal_type import SignalType

from ...const import CONF_FAMILY, DOMAIN
from ...names import clean_text
from ...protocols.apple.models import OutputDevice
from .const import CONF_IDENTIFIERS, FAMILY_KEY
from .coordinator import AppleTvCoordinator
from .errors import apple_tv_errors, refuse
from .state import AppleTvState

_GROUP: Final = 2
"""Devices that play together, at least."""
PLAYER: Final = "player"
"""The key of the media player among the entities of a device."""
GROUPS_CHANGED: Final[SignalType[()]] = SignalType(f"{DOMAIN}_{FAMILY_KEY}_groups")
"""Sent when other devices play along with one of ours."""


def output_name(output: OutputDevice) -> str:
    """Return what an output device is called."""
    return clean_text(output.name or "") or clean_text(output.identifier)


def output_names(state: AppleTvState) -> list[str]:
    """Return a name for each device that plays along."""
    return [output_name(output) for output in state.output_devices]


def _same(identifier: str) -> str:
    """Return what is the same for identifiers that differ in writing alone."""
    return identifier.casefold()


def own_ids(coordinator: AppleTvCoordinator) -> frozenset[str]:
    """Return every identifier that others may mean the coordinator's device by."""
    info = coordinator.data.info
    known = (
        *coordinator.entry.data[CONF_IDENTIFIERS],
        info.output_device_id,
        info.mac,
    )
    return frozenset(_same(identifier) for identifier in known if identifier)


@callback
def async_peers(hass: HomeAssistant) -> list[AppleTvCoordinator]:
    """Return the devices of the family."""
    return [
        entry.runtime_data
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        if entry.data[CONF_FAMILY] == FAMILY_KEY
    ]


@callback
def player_id(coordinator: AppleTvCoordinator) -> str | None:
    """Return the entity id of a device's media player."""
    return er.async_get(coordinator.hass).async_get_entity_id(
        Platform.MEDIA_PLAYER, DOMAIN, f"{coordinator.device_id}_{PLAYER}"
    )


def plays_along(leader: AppleTvCoordinator, member: AppleTvCoordinator) -> bool:
    """Tell whether what one device plays is heard from another."""
    ids = own_ids(member)
    return any(_same(one.identifier) in ids for one in leader.data.output_devices)


@callback
def async_leader(coordinator: AppleTvCoordinator) -> AppleTvCoordinator | None:
    """Return the other device whose sound comes from this one, None without any."""
    return next(
        (
            peer
            for peer in async_peers(coordinator.hass)
            if peer is not coordinator and plays_along(peer, coordinator)
        ),
        None,
    )


@callback
def async_group(coordinator: AppleTvCoordinator) -> list[str]:
    """Return the media players of the group of a device, the leader first; [] without one.

    Devices that Home Assistant does not have play along, too, but have no entity.
    """
    leader = coordinator
    if len(leader.data.output_devices) < _GROUP:
        leader = async_leader(coordinator) or coordinator
    members = [
        peer
        for peer in async_peers(coordinator.hass)
        if peer is not leader and plays_along(leader, peer)
    ]
    if not members:
        return []
    return [
        entity_id
        for member in (leader, *members)
        if (entity_id := player_id(member)) is not None
    ]


@callback
def async_outputs(coordinator: AppleTvCoordinator) -> dict[str, str]:
    """Return the names of the outputs that are known, by their identifiers.

    Those are what plays along now, the device itself, and the others of the family.
    """
    found = {
        output.identifier: output_name(output)
        for output in coordinator.data.output_devices
    }
    known = {_same(identifier) for identifier in found}
    for peer in (coordinator, *async_peers(coordinator.hass)):
        identifier = peer.data.info.output_device_id or peer.data.info.mac
        if identifier and known.isdisjoint(own_ids(peer)):
            found[identifier] = peer.device_name
            known |= own_ids(peer)
    return found


def output_id(coordinator: AppleTvCoordinator) -> str:
    """Return the identifier that makes a device play along.

    Raises ServiceValidationError when it has not told one.
    """
    info = coordinator.data.info
    if not (identifier := info.output_device_id or info.mac):
        refuse("apple_tv_no_output", coordinator.entry.title)
    return identifier


@callback
def async_find_output(coordinator: AppleTvCoordinator, text: str) -> str:
    """Return the identifier of an output device by what a user calls it.

    That is the entity of a device of the family, its device in the registry, the name of
    what plays along already, or the identifier itself. Raises ServiceValidationError for an
    entity or a device that is none of ours.
    """
    wanted = text.strip()
    for peer in async_peers(coordinator.hass):
        device = peer.registry_device
        if wanted == player_id(peer) or (device is not None and wanted == device.id):
            return output_id(peer)
    if (
        wanted.startswith(f"{Platform.MEDIA_PLAYER}.")
        or dr.async_get(coordinator.hass).async_get(wanted) is not None
        or not wanted
    ):
        refuse("apple_tv_not_an_output", coordinator.entry.title)
    for output in coordinator.data.output_devices:
        if wanted.casefold() == output_name(output).casefold():
            return output.identifier
    for peer in async_peers(coordinator.hass):
        if wanted.casefold() == peer.device_name.casefold():
            return output_id(peer)
    return wanted


@callback
def async_find_playing(coordinator: AppleTvCoordinator, text: str) -> str:
    """Return the identifier of an output device that plays along, as async_find_output does.

    A device does not answer about others. Raises ServiceValidationError for those.
    """
    wanted = frozenset({_same(async_find_output(coordinator, text))})
    for peer in async_peers(coordinator.hass):
        if not wanted.isdisjoint(ids := own_ids(peer)):
            wanted |= ids
    playing = [output.identifier for output in coordinator.data.output_devices]
    found = next((one for one in playing if _same(one) in wanted), None)
    if found is None:
        refuse(
            "apple_tv_output_not_playing",
            coordinator.entry.title,
            outputs=", ".join(output_names(coordinator.data)),
        )
    return found


async def async_join(coordinator: AppleTvCoordinator, members: list[str]) -> None:
    """Have other media players play along.

    Raises ServiceValidationError for what is no device of the family, HomeAssistantError
    when it fails.
    """
    own = player_id(coordinator)
    outputs = [
        async_find_output(coordinator, member) for member in members if member != own
    ]
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.add_output_devices(*outputs)


async def async_unjoin(coordinator: AppleTvCoordinator) -> None:
    """Have a device play alone: it leaves its group, or the others leave it."""
    leader = async_leader(coordinator)
    if len(coordinator.data.output_devices) < _GROUP and leader is not None:
        with apple_tv_errors(leader.entry.title):
            await leader.device.remove_output_devices(*_outputs_of(leader, coordinator))
        return
    others = [
        output.identifier
        for output in coordinator.data.output_devices
        if _same(output.identifier) not in own_ids(coordinator)
    ]
    if others:
        with apple_tv_errors(coordinator.entry.title):
            await coordinator.device.remove_output_devices(*others)


def _outputs_of(leader: AppleTvCoordinator, member: AppleTvCoordinator) -> list[str]:
    ids = own_ids(member)
    return [
        output.identifier
        for output in leader.data.output_devices
        if _same(output.identifier) in ids
    ]
