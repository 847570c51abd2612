"""What a fake Apple TV does with the messages of Companion.

The Apple TV reference, part A, sections 4.5 to 4.10.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.fakes.apple_tv_core import ASLEEP, AWAKE, SCREENSAVER
from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_opack import OpackValue, Wide
from tests.fakes.apple_tv_text import document, read_operation

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv
    from tests.fakes.apple_tv_companion import CompanionConnection

type Message = dict[str, OpackValue]
type _Then = Callable[[], None] | None
type _Answer = tuple[Message, _Then] | None

SERVICE = "com.apple.tvremoteservices"
NO_HANDLER = 58822
BAD_PARAMETER = 58824

BUTTONS = {
    1: "up",
    2: "down",
    3: "left",
    4: "right",
    5: "menu",
    6: "select",
    7: "home",
    8: "volume_up",
    9: "volume_down",
    10: "siri",
    11: "screensaver",
    12: "sleep",
    13: "wake",
    14: "play_pause",
    15: "channel_up",
    16: "channel_down",
    17: "guide",
    18: "page_up",
    19: "page_down",
}
_WAKING = {"menu", "select", "home", "play_pause"}
_ONLY_UP = {"sleep", "wake"}
MEDIA = {
    1: "play",
    2: "pause",
    3: "next",
    4: "previous",
    7: "skip",
    8: "fast_forward_begin",
    9: "fast_forward_end",
    10: "rewind_begin",
    11: "rewind_end",
}
VOLUME_STEP = 1 / 16
HAS_VOLUME = 0x100
#: What only works in a session: the daemon relays no further without one.
_IN_SESSION = {
    "_hidC",
    "_mcc",
    "_launchApp",
    "FetchLaunchableApplicationsEvent",
    "FetchUserAccountsEvent",
    "SwitchUserAccountEvent",
}


class CommandError(Exception):
    """A request fails."""

    def __init__(
        self,
        code: int = NO_HANDLER,
        message: str = "No request handler",
        domain: str = "RPErrorDomain",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.domain = domain


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, `length` in seconds."""

    name: str
    length: float


@dataclass(frozen=True, slots=True)
class Touch:
    """A point on the pad: 1 press, 3 hold, 4 release, 5 click."""

    x: int
    y: int
    phase: int
    nanoseconds: int


class Commands:
    """All messages, and logs of those that do something."""

    needs_session = True

    def __init__(self, device: FakeAppleTv) -> None:
        self._device = device
        self.presses: list[Press] = []
        self.touches: list[Touch] = []
        self.launches: list[str] = []
        self.media: list[tuple[str, float | None]] = []
        self._requests: dict[str, Callable[[CompanionConnection, Message], _Answer]] = {
            "_systemInfo": self._system_info,
            "_sessionStart": self._session_start,
            "_sessionStop": self._session_stop,
            "TVRCSessionStart": self._tvrc,
            "_touchStart": self._touch_start,
            "_touchStop": self._touch_stop,
            "_tiStart": self._text_start,
            "_tiStop": self._text_stop,
            "_launchApp": self._launch,
            "FetchLaunchableApplicationsEvent": self._apps,
            "FetchUserAccountsEvent": self._accounts,
            "SwitchUserAccountEvent": self._switch,
            "_hidC": self._button,
            "_mcc": self._media,
            "FetchAttentionState": self._attention,
        }

    def request(
        self, client: CompanionConnection, name: str, content: Message
    ) -> _Answer:
        """Return the content of the answer and what happens after it; None: silence.

        Raises CommandError.
        """
        handler = self._requests.get(name)
        no_session = name in _IN_SESSION and client.session_id is None
        if handler is None or (no_session and self.needs_session):
            raise CommandError
        return handler(client, content)

    def event(self, client: CompanionConnection, name: str, content: Message) -> None:
        """Take an event. Raises WireError."""
        match name:
            case "_interest":
                self._interest(client, content)
            case "_hidT":
                self._touch(client, content)
            case "_tiC":
                self._edit(client, content)
            case _:
                self._device.emit("unknown_event", client=client.number, name=name)

    # The session

    def _system_info(self, client: CompanionConnection, content: Message) -> _Answer:
        client.system_info = content
        told = content.get("_i")
        client.installation = told if isinstance(told, str) else None
        name = content.get("name")
        self._device.emit("client", client=client.number, name=name, installation=told)
        self._device.companion.evict(client)
        return self._own_info(), None

    def _own_info(self) -> Message:
        device = self._device
        names: list[OpackValue] = [
            f"com.apple.{name}"
            for name in (
                "LiveAudio",
                "siri.wakeup",
                "Seymour",
                "workflow.remotewidgets",
                "coreduet.sync",
                "photosface.resource.xpc",
                "SeymourSession",
                "home.messaging",
                "tvremoteservices",
                "accessibility.axremoted",
                "bluetooth.remote",
                "devicesharing",
                "ScreenTimeAgent",
                "nearby.photos",
                "wirelessproximity",
                "companion.authentication",
            )
        ]
        rp_id = str(device.identity.rp_id).upper()
        siri: Message = {
            "audio-session-coordination.system-info": {
                "mediaRemoteGroupIdentifier": rp_id,
                "isSupportedAndEnabled": False,
                "homeKitId": device.identity.pi,
            },
            "peerData": {
                "userAssignedDeviceName": device.name,
                "productType": device.model,
                "buildVersion": device.build,
                "myriadTrialTreatmentIdentifier": b"\x01\x02" * 20,
                "sharedDataProtoBuf": bytes(range(200)),
            },
        }
        return {
            "_pubID": device.device_id,
            "_i": device.identity.rp_installation,
            "_idsID": device.desk.identifier.decode(),
            "_idsCID": rp_id,
            "_mRtID": rp_id,
            "_mrID": rp_id,
            "_hkUID": [device.identity.pi],
            "_sv": device.flavour.companion_version,
            "_bf": Wide(32832, 4),
            "_cf": Wide(1, 8),
            "_clFl": Wide(128, 2),
            "_sf": Wide(1099513761, 8),
            "_dC": "1",
            "_stA": names,
            "_siriInfo": siri,
            "_accID": str(device.identity.psi).upper(),
            "_roomName": device.name,
            "model": device.model,
            "name": device.name,
            "_lastService": names[8],
        }

    def _session_start(self, client: CompanionConnection, content: Message) -> _Answer:
        if content.get("_srvT") != SERVICE:
            raise CommandError
        theirs = _number(content, "_sid")
        ours = secrets.randbits(32)
        client.session_id = ours << 32 | theirs
        self._device.emit("session", client=client.number, started=True)
        return {"_sid": ours}, None

    def _session_stop(self, client: CompanionConnection, content: Message) -> _Answer:
        if client.session_id is None or content.get("_sid") != client.session_id:
            raise CommandError(BAD_PARAMETER, "Unknown session")
        client.session_id = None
        self._device.emit("session", client=client.number, started=False)
        return {}, None

    def _tvrc(self, client: CompanionConnection, content: Message) -> _Answer:
        if not self._device.flavour.knows_tvrc:
            raise CommandError
        client.has_tvrc = True
        return {"ProtocolVersionKey": content.get("ProtocolVersionKey")}, None

    def _interest(self, client: CompanionConnection, content: Message) -> None:
        added = _names(content, "_regEvents")
        removed = _names(content, "_deregEvents")
        client.interests = (client.interests | added) - removed
        self._device.emit(
            "interest", client=client.number, names=sorted(client.interests)
        )
        if "_iMC" in added:
            self._device.companion.tell_media(client)

    def _attention(self, client: CompanionConnection, content: Message) -> _Answer:
        behaviour = self._device.flavour.attention
        if not client.has_tvrc and behaviour == "silence":
            return None
        if not client.has_tvrc and behaviour == "refusal":
            raise CommandError
        return {"state": self._device.power.attention}, None

    # Apps and accounts

    def _apps(self, client: CompanionConnection, content: Message) -> _Answer:
        return dict[str, OpackValue](self._device.apps), None

    def _launch(self, client: CompanionConnection, content: Message) -> _Answer:
        bundle, url = content.get("_bundleID"), content.get("_urlS")
        if isinstance(bundle, str):
            if bundle not in self._device.apps:
                raise CommandError(BAD_PARAMETER, "No such application")
            self._device.current_app = bundle
        elif not isinstance(url, str) or ":" not in url:
            raise CommandError(BAD_PARAMETER, "Nothing to launch")
        target = bundle if isinstance(bundle, str) else str(url)
        self.launches.append(target)
        self._device.emit("launch", client=client.number, target=target)
        return {}, None

    def _accounts(self, client: CompanionConnection, content: Message) -> _Answer:
        return dict[str, OpackValue](self._device.accounts), None

    def _switch(self, client: CompanionConnection, content: Message) -> _Answer:
        account = content.get("SwitchAccountID")
        if not isinstance(account, str) or account not in self._device.accounts:
            raise CommandError(BAD_PARAMETER, "No such account")
        self._device.current_account = account
        self._device.emit("account", client=client.number, account=account)
        return {}, None

    # Buttons

    def _button(self, client: CompanionConnection, content: Message) -> _Answer:
        number, state = _number(content, "_hidC"), _number(content, "_hBtS")
        name = BUTTONS.get(number)
        if name is None or state not in (1, 2):
            raise CommandError(BAD_PARAMETER, "No such button")
        now = asyncio.get_running_loop().time()
        if state == 1:
            client.pressed[number] = now
            return {}, None
        since = client.pressed.pop(number, None)
        if since is None and name not in _ONLY_UP:
            raise CommandError(BAD_PARAMETER, "That button is not pressed")
        press = Press(name, 0.0 if since is None else now - since)
        self.presses.append(press)
        self._device.emit(
            "button", client=client.number, name=name, length=press.length
        )
        return {}, lambda: self._pressed(name)

    def _pressed(self, name: str) -> None:
        device = self._device
        match name:
            case "sleep":
                device.set_power(False, "companion")
            case "wake":
                device.set_power(True, "companion")
            case "screensaver" if device.is_on:
                device.power.set(SCREENSAVER, "companion")
            case "volume_up":
                self._turn_volume(device.volume + VOLUME_STEP)
            case "volume_down":
                self._turn_volume(device.volume - VOLUME_STEP)
            case _ if name in _WAKING and device.power.attention == ASLEEP:
                device.set_power(True, "companion")
            case _ if device.power.attention == SCREENSAVER:
                device.power.set(AWAKE, "companion")
            case "play_pause":
                device.remote("play_pause")

    def _turn_volume(self, volume: float) -> None:
        if self._device.media_flags & HAS_VOLUME:
            self._device.set_volume(volume, by="companion")

    def _media(self, client: CompanionConnection, content: Message) -> _Answer:
        device, command = self._device, _number(content, "_mcc")
        has_volume = device.media_flags & HAS_VOLUME
        match command:
            case 5 if has_volume:
                return {"_vol": device.volume}, None
            case 6 if has_volume:
                volume = content.get("_vol")
                if not isinstance(volume, float) or not 0 <= volume <= 1:
                    raise CommandError(BAD_PARAMETER, "Not a volume")
                return {}, lambda: device.set_volume(volume, by="companion")
            case 12:
                return {"_mcs": 2 if device.has_captions else 3}, None
            case 13:
                wanted = content.get("_mcs")
                device.has_captions = (
                    not device.has_captions if wanted == 4 else wanted == 2
                )
                device.emit("captions", on=device.has_captions)
                return {}, None
        name = MEDIA.get(command)
        if name is None:
            raise CommandError(BAD_PARAMETER, "No such command")
        seconds = content.get("_skpS", 10.0) if name == "skip" else None
        if seconds is not None and not isinstance(seconds, float):
            raise CommandError(BAD_PARAMETER, "Not a number of seconds")
        self.media.append((name, seconds))
        device.emit("media", client=client.number, name=name, seconds=seconds)
        return {}, lambda: device.remote(name, seconds)

    # Touch

    def _touch_start(self, client: CompanionConnection, content: Message) -> _Answer:
        if not isinstance(content.get("_width"), float):
            raise CommandError(BAD_PARAMETER, "The pad has no size")
        client.has_touch = True
        return {"_i": 1}, None

    def _touch_stop(self, client: CompanionConnection, content: Message) -> _Answer:
        client.has_touch = False
        return {}, None

    def _touch(self, client: CompanionConnection, content: Message) -> None:
        if not client.has_touch:
            self._device.emit("touch_ignored", client=client.number)
            return
        touch = Touch(*(_number(content, key) for key in ("_cx", "_cy", "_tPh", "_ns")))
        if not (0 <= touch.x <= 1000 and 0 <= touch.y <= 1000):
            raise WireError("a touch beside the pad")
        self.touches.append(touch)
        self._device.emit(
            "touch", client=client.number, x=touch.x, y=touch.y, phase=touch.phase
        )

    # Text

    def text_content(self, client: CompanionConnection) -> Message:
        """Begin a new text session, return what tells of the field."""
        field = self._device.text_field
        if field is None:
            client.text_session = b""
            return {}
        client.text_session = uuid4().bytes
        return {"_tiD": document(client.text_session, field)}

    def _text_start(self, client: CompanionConnection, content: Message) -> _Answer:
        client.is_text_started = True
        return self.text_content(client), None

    def _text_stop(self, client: CompanionConnection, content: Message) -> _Answer:
        client.is_text_started = False
        client.text_session = b""
        return {}, None

    def _edit(self, client: CompanionConnection, content: Message) -> None:
        data = content.get("_tiD")
        if not isinstance(data, bytes) or content.get("_tiV") != 1:
            raise WireError("a text event without operations")
        operation = read_operation(data)
        field = self._device.text_field
        if field is None or operation.session != client.text_session:
            self._device.emit("text_ignored", client=client.number)
            return
        field.text = ("" if operation.clears else field.text) + operation.inserted
        self._device.emit("text", client=client.number, length=len(field.text))
        self._device.text_changed()


def _number(content: Message, key: str) -> int:
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CommandError(BAD_PARAMETER, f"{key} is no number")
    return value


def _names(content: Message, key: str) -> set[str]:
    value = content.get(key, [])
    if not isinstance(value, list):
        raise WireError(f"{key} is no list")
    return {name for name in value if isinstance(name, str)}
