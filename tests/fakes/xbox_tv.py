"""The TV provider of a fake console, "Stump" (section 12.4)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, override

from tests.fakes.xbox_json import JsonObject, JsonValue
from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import Service

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

_HEADEND = "516b9ea7-5292-97ec-e7d4-f843fab6d392"
_HDMI_CHANNEL = "BA5EBA11-DEA1-4BAD-BA11-FEDDEADFAB1E"
_TUNER_CHANNEL = "bb1ca492-232b-adfe-1f39-d010eb7f179c"

_LABELS = {
    "btn.power": "Power",
    "btn.vol_up": "Vol +",
    "btn.vol_down": "Vol -",
    "btn.vol_mute": "Mute",
    "btn.ch_up": "Ch +",
    "btn.ch_down": "Ch -",
    "btn.input": "Input",
    "btn.menu": "Menu",
    "btn.up": "Up",
    "btn.down": "Down",
    "btn.left": "Left",
    "btn.right": "Right",
    "btn.select": "OK",
    "btn.back": "Back",
    "btn.exit": "Exit",
    "btn.guide": "Guide",
    "btn.info": "Info",
    "btn.play": "Play",
    "btn.pause": "Pause",
    "btn.stop": "Stop",
    "btn.record": "Record",
    "btn.red": "Red",
    "btn.green": "Green",
    "btn.yellow": "Yellow",
    "btn.blue": "Blue",
}


def _buttons(*left_out: str) -> JsonObject:
    digits = {f"btn.digit_{digit}": str(digit) for digit in range(10)}
    both = {**_LABELS, **digits}
    return {key: label for key, label in both.items() if key not in left_out}


def _devices() -> list[JsonValue]:
    return [
        {
            "device_id": "0",
            "device_type": "tv",
            "device_brand": "Loopback",
            "device_model": "LB-55",
            "device_name": "Television",
            "buttons": _buttons("btn.guide", "btn.record"),
        },
        {
            "device_id": "1",
            "device_type": "stb",
            "device_brand": "Fakebox",
            "buttons": _buttons("btn.vol_up", "btn.vol_down", "btn.vol_mute"),
        },
        {"device_id": "tuner", "device_type": "tuner", "buttons": {}},
    ]


def _headend() -> JsonObject:
    provider: JsonObject = {
        "providerName": "Loopback Cable",
        "headendId": _HEADEND,
        "source": "tuner",
        "titleId": "0x162615ad",
        "filterPreference": "ALL",
        "canStream": "true",
    }
    return {
        "providerName": "Loopback Cable",
        "headendId": _HEADEND,
        "blockExplicitContentPerShow": "false",
        "dvrEnabled": "false",
        "headendLocale": "en-US",
        "streamingPort": "10242",
        "preferredProvider": _HEADEND,
        "providers": [provider],
    }


def _live_tv() -> JsonObject:
    return {
        "inHdmiMode": "0",
        "streamingPort": "10242",
        "tunerChannelType": "televisionChannel",
        "currentTunerChannelId": _TUNER_CHANNEL,
        "currentHdmiChannelId": _HDMI_CHANNEL,
        "pauseBufferInfo": {
            "Enabled": "true",
            "IsDvr": "false",
            "MaxBufferSize": "18000000000",
            "BufferCurrent": "131688132168080320",
            "BufferStart": "131688132168080320",
            "BufferEnd": "131688151636700238",
            "CurrentTime": "131688151637000000",
            "Epoch": "0",
        },
    }


def _lineups() -> JsonObject:
    found: list[JsonValue] = [
        {
            "channelNumber": str(number),
            "displayName": name,
            "channelId": f"bb1ca492-232b-adfe-1f39-d010eb7f17{number:02x}",
        }
        for number, name in ((1, "News One"), (2, "Sports Two"), (3, "Börse Drei"))
    ]
    return {
        "providers": [
            {
                "headendId": _HEADEND,
                "cqsChannels": ["178442d3-2b13-e02b-9747-a3d4ebebcf62_PHOHD_23"],
                "foundChannels": found,
            }
        ]
    }


def _app_lineups() -> list[JsonValue]:
    return [
        {
            "id": "LiveTvHdmiProvider",
            "providerName": "OneGuide",
            "titleId": "0x162615ad",
            "primaryColor": "ff107c10",
            "secondaryColor": "ffebebeb",
            "channels": [],
        },
        {
            "id": "LiveTvPlaylistProvider",
            "providerName": "OneGuide",
            "titleId": "0x162615ad",
            "primaryColor": "ff107c10",
            "secondaryColor": "ffebebeb",
            "providerImageUrl": "http://192.0.2.1/provider.png",
            "channels": [{"name": "Playlist", "id": "playlist-1"}],
        },
    ]


def _recent() -> list[JsonValue]:
    numbered: list[JsonValue] = [
        {
            "channelNum": str(number),
            "providerId": _HEADEND,
            "channelId": f"bb1ca492-232b-adfe-1f39-d010eb7f17{number:02x}",
        }
        for number in (2, 1)
    ]
    hdmi: JsonObject = {
        "channelNum": "NumberUnused",
        "providerId": _HEADEND,
        "channelId": _HDMI_CHANNEL,
    }
    return [*numbered, hdmi]


@dataclass(slots=True)
class FakeTv:
    """What is configured; everything may be changed."""

    devices: list[JsonValue] = field(default_factory=_devices)
    headend: JsonObject = field(default_factory=_headend)
    live_tv: JsonObject = field(default_factory=_live_tv)
    lineups: JsonObject = field(default_factory=_lineups)
    app_lineups: list[JsonValue] = field(default_factory=_app_lineups)
    recent: list[JsonValue] = field(default_factory=_recent)
    is_silent: bool = False  # answers nothing, as current firmware may
    errors: dict[str, str] = field(default_factory=dict)  # request -> text of Error

    def has_button(self, button_id: str, device_id: str | None) -> bool:
        """Whether a device, or any of them, has a button."""
        for device in self.devices:
            if not isinstance(device, dict):
                continue
            buttons = device.get("buttons")
            fits = device_id is None or device.get("device_id") == device_id
            if fits and isinstance(buttons, dict) and button_id in buttons:
                return True
        return False

    def channels(self) -> list[tuple[str, str, str]]:
        """Return lineup, id and name of all tuner channels."""
        found: list[tuple[str, str, str]] = []
        providers = self.lineups.get("providers")
        for provider in providers if isinstance(providers, list) else []:
            if not isinstance(provider, dict):
                continue
            channels = provider.get("foundChannels")
            found += [
                (
                    str(provider.get("headendId")),
                    str(channel.get("channelId")),
                    str(channel.get("displayName")),
                )
                for channel in (channels if isinstance(channels, list) else [])
                if isinstance(channel, dict)
            ]
        return found


class _UnknownError(Exception):
    """What is answered with an Error."""


class TvService(Service):
    """Answers requests."""

    name = "tv"

    def __init__(self, console: FakeConsole) -> None:
        super().__init__(console)
        self.tv = FakeTv()

    def notify(self, notification: str, **more: JsonValue) -> None:
        """Tell all clients of a change."""
        for participant, channel in self.open_channels():
            participant.send_json(channel, {"notification": notification, **more})

    @override
    def received_json(
        self,
        participant: Participant,
        channel: Channel,
        body: JsonObject,
        sequence: int,
    ) -> None:
        request, msgid = body.get("request"), body.get("msgid")
        if not isinstance(request, str) or not isinstance(msgid, str):
            participant.emit("json_error", reason="no request")
            return
        params = body.get("params")
        asked: JsonObject = params if isinstance(params, dict) else {}
        participant.emit(
            "json_request",
            sequence=sequence,
            request=request,
            msgid=msgid,
            params={key: str(value) for key, value in asked.items()},
        )
        if self.tv.is_silent:
            return
        changed: list[str] = []
        try:
            answer = self._answer(participant, request, asked, sequence, changed)
            response: JsonObject = {
                "response": request,
                "msgid": msgid,
                "params": answer,
            }
        except _UnknownError as error:
            response = {"response": "Error", "msgid": msgid, "error": str(error)}

        def reply() -> None:
            if channel.number in participant.channels:
                participant.send_json(channel, response)
            for name in changed:
                self.notify(name)

        self.console.later(self.console.answer_delay, reply)

    def _answer(
        self,
        participant: Participant,
        request: str,
        params: JsonObject,
        sequence: int,
        changed: list[str],
    ) -> JsonValue:
        if request in self.tv.errors:
            raise _UnknownError(self.tv.errors[request])
        match request:
            case "GetConfiguration":
                return self.tv.devices
            case "GetHeadendInfo":
                return self.tv.headend
            case "GetLiveTVInfo":
                return self.tv.live_tv
            case "GetTunerLineups":
                return self.tv.lineups
            case "GetAppChannelLineups":
                return self.tv.app_lineups
            case "GetRecentChannels":
                start, count = params.get("startindex"), params.get("count")
                if not isinstance(start, int) or not isinstance(count, int):
                    raise _UnknownError("Invalid parameters")
                return self.tv.recent[start : start + count]
            case "SendKey":
                return self._send_key(participant, params, sequence)
            case "SetChannel":
                self._set_channel(participant, params, sequence)
                changed.append("ChannelChanged")
                return None
            case "EnsureStreamingStarted":
                return {
                    "currentChannelId": self.tv.live_tv.get("currentTunerChannelId"),
                    "source": params.get("source"),
                    "streamingPort": "10242",
                    "tunerChannelType": "televisionChannel",
                    "userCanViewChannel": "true",
                }
        raise _UnknownError(f"Unknown request {request}")

    def _send_key(
        self, participant: Participant, params: JsonObject, sequence: int
    ) -> bool:
        button, device = params.get("button_id"), params.get("device_id")
        if not isinstance(button, str) or not isinstance(device, str | None):
            raise _UnknownError("Invalid parameters")
        result = self.tv.has_button(button, device)
        participant.emit(
            "send_key",
            sequence=sequence,
            button_id=button,
            device_id=device,
            result=result,
        )
        return result

    def _set_channel(
        self, participant: Participant, params: JsonObject, sequence: int
    ) -> None:
        name, number = params.get("channel_name"), params.get("channelId")
        lineup = params.get("lineupInstanceId")
        for headend, channel_id, display_name in self.tv.channels():
            if display_name == name or (channel_id == number and headend == lineup):
                self.tv.live_tv["currentTunerChannelId"] = channel_id
                found = True
                break
        else:
            found = False
        participant.emit(
            "set_channel",
            sequence=sequence,
            channel_id=str(number or name),
            lineup=None if lineup is None else str(lineup),
            found=found,
        )
        if not found:
            raise _UnknownError("Channel not found")
