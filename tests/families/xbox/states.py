"""States of a console, for tests that need no console."""

from custom_components.rumpus.families.xbox.state import SeenTitle, TvState, XboxState
from custom_components.rumpus.protocols.smartglass.enums import (
    MediaControlCommand,
    MediaType,
    PlaybackStatus,
    SoundLevel,
    SystemTitle,
    TitleLocation,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    ActiveTitle,
    ConsoleStatus,
)
from custom_components.rumpus.protocols.smartglass.services.media_models import Media
from custom_components.rumpus.protocols.smartglass.services.tv_models import TvDevice

GAME_ID = 0x4AE8F9B2
NO_COMMANDS = MediaControlCommand(0)


def title(
    title_id: int = GAME_ID,
    aum: str = "",
    *,
    has_focus: bool = True,
    location: TitleLocation | int = TitleLocation.FULL,
) -> ActiveTitle:
    """Return a title that runs."""
    return ActiveTitle(title_id, has_focus, location, bytes(16), bytes(16), aum)


def status(*titles: ActiveTitle, provider: int = 0) -> ConsoleStatus:
    """Return what a console tells about itself."""
    return ConsoleStatus(provider, 10, 0, 19041, "en-US", titles)


def media(
    playback: PlaybackStatus | int = PlaybackStatus.PLAYING,
    commands: MediaControlCommand = NO_COMMANDS,
    kind: MediaType | int = MediaType.VIDEO,
) -> Media:
    """Return a media session."""
    return Media(
        title_id=GAME_ID,
        aum_id="",
        asset_id="",
        media_type=kind,
        sound_level=SoundLevel.FULL,
        enabled_commands=commands,
        playback_status=playback,
        rate=1.0,
        position=0.0,
        duration=None,
        min_seek=0.0,
        max_seek=0.0,
        media_start=0,
        updated_at=0.0,
        metadata={},
    )


def state(
    *titles: ActiveTitle,
    playing: Media | None = None,
    tv: TvState | None = None,
    seen: tuple[SeenTitle, ...] = (),
) -> XboxState:
    """Return the state of a console that is connected."""
    return XboxState(
        is_connected=True,
        status=status(*titles),
        media=playing,
        tv=tv,
        titles_seen={title.title_id: title for title in seen},
    )


def tv(*devices: TvDevice) -> TvState:
    """Return what a console controls."""
    return TvState(devices)


def device(
    device_id: str, kind: str, *buttons: str, name: str | None = None
) -> TvDevice:
    """Return a device with buttons, given without their prefix."""
    return TvDevice(
        device_id,
        kind,
        name=name,
        buttons={f"btn.{button}": button for button in buttons},
    )


HOME = title(SystemTitle.HOME)
DASHBOARD = title(SystemTitle.DASHBOARD, location=TitleLocation.START_VIEW)
