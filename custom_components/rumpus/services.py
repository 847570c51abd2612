"""Actions: what can be asked of a device that no entity has a place for.

They are known from the start, whether or not there is an entry; the family of the device that
an action is called for carries it out.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import probatio

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv, service

from .const import DOMAIN
from .coordinator import RumpusConfigEntry

type Fields = Mapping[probatio.Marker, object]

MAX_MESSAGES: Final = 500
"""Messages of a conversation that can be asked for."""
MAX_NAME: Final = 256
"""Characters of what a console knows something by: a channel, a button, a title."""
MAX_TARGET: Final = 2000
"""Characters of an app's name, its id, or a link that is to be opened."""
MAX_OUTPUTS: Final = 32
"""Devices that play along with one."""
MAX_SWIPE: Final = 10_000
"""Milliseconds of a swipe over a touch pad."""
MAX_SKIP: Final = 86_400
"""Seconds of a jump in what plays."""
MAX_LISTED: Final = 500
"""Games or players of a lobby that can be asked for."""
MAX_SLOTS: Final = 16
"""Free places in a game that can be asked for; no game has more."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action by its name, its fields besides the device, and whether it answers.

    One that only answers, or answers to those who ask, is for one device; the others are for
    several unless they say otherwise.
    """

    name: str
    fields: Fields = field(default_factory=dict)
    answers: bool = False
    """It does nothing but answer."""
    may_answer: bool = False
    """It does something and has an answer for whoever wants it."""
    is_single: bool = False

    @property
    def is_for_one(self) -> bool:
        """Whether it takes one device."""
        return self.answers or self.may_answer or self.is_single

    @property
    def supports_response(self) -> SupportsResponse:
        """Whether it is called with, or may be called with, a wish for an answer."""
        if self.answers:
            return SupportsResponse.ONLY
        return SupportsResponse.OPTIONAL if self.may_answer else SupportsResponse.NONE


def _media_id(value: Mapping[str, str]) -> str:
    return value["media_content_id"]


# A path, an entity, the id of a media item, or what the media selector makes of one.
_MEDIA: Final = probatio.Any(
    cv.string,
    probatio.All(
        probatio.Schema(
            {probatio.Required("media_content_id"): cv.string},
            extra=probatio.ALLOW_EXTRA,
        ),
        _media_id,
    ),
)

# As long as the protocol's numbers are.
_INTEGER: Final = probatio.All(
    probatio.Coerce(int), probatio.Range(min=-(2**63), max=2**63 - 1)
)

_NAME: Final = probatio.All(cv.string, probatio.Length(min=1, max=MAX_NAME))

_POINT: Final = probatio.All(probatio.Coerce(int), probatio.Range(min=0, max=1000))

_OUTPUTS: Final[Fields] = {
    probatio.Required("output_devices"): probatio.All(
        cv.ensure_list, [_NAME], probatio.Length(min=1, max=MAX_OUTPUTS)
    ),
}

_ANNOUNCEMENT: Final[Fields] = {
    probatio.Required("message"): cv.string,
    probatio.Optional("title"): cv.string,
    probatio.Optional("app_name"): cv.string,
    probatio.Optional("image"): _MEDIA,
    probatio.Optional("actions", default=list): probatio.All(
        cv.ensure_list,
        [
            {
                probatio.Required("action"): cv.string,
                probatio.Required("title"): cv.string,
                probatio.Optional("behavior"): probatio.In(["default", "textInput"]),
            }
        ],
    ),
    probatio.Optional("reply", default=False): cv.boolean,
    probatio.Optional("silent", default=False): cv.boolean,
    probatio.Optional("tag"): cv.string,
}

_LISTED: Final = probatio.All(
    probatio.Coerce(int), probatio.Range(min=1, max=MAX_LISTED)
)

_PLAYER: Final[Fields] = {probatio.Required("player"): _NAME}

ACTIONS: Final[tuple[Action, ...]] = (
    Action("mute_ringer"),
    Action(
        "share",
        {
            probatio.Optional("text"): cv.string,
            probatio.Optional("url"): cv.string,
            probatio.Optional("files"): probatio.All(cv.ensure_list, [_MEDIA]),
            probatio.Optional("open", default=False): cv.boolean,
        },
    ),
    Action("cancel_share"),
    Action("get_clipboard", answers=True),
    Action("set_clipboard", {probatio.Required("text"): cv.string}),
    Action(
        "send_sms",
        {
            probatio.Required("recipients"): probatio.All(cv.ensure_list, [cv.string]),
            probatio.Optional("message", default=""): cv.string,
            probatio.Optional("attachments", default=list): probatio.All(
                cv.ensure_list, [_MEDIA]
            ),
            probatio.Optional("sim"): _INTEGER,
        },
        is_single=True,
    ),
    Action("list_conversations", answers=True),
    Action(
        "get_conversation",
        {
            probatio.Required("thread_id"): _INTEGER,
            probatio.Optional("limit", default=50): probatio.All(
                probatio.Coerce(int), probatio.Range(min=1, max=MAX_MESSAGES)
            ),
            probatio.Optional("before"): cv.datetime,
        },
        answers=True,
    ),
    Action(
        "save_attachment",
        {
            probatio.Required("part_id"): _INTEGER,
            probatio.Required("unique_identifier"): cv.string,
            probatio.Optional("filename"): cv.string,
        },
        answers=True,
    ),
    Action(
        "get_contacts",
        {
            probatio.Optional("search"): cv.string,
            probatio.Optional("number"): cv.string,
        },
        answers=True,
    ),
    Action("send_notification", _ANNOUNCEMENT),
    Action(
        "reply_notification",
        {
            probatio.Required("notification_id"): cv.string,
            probatio.Required("message"): cv.string,
        },
    ),
    Action(
        "dismiss_notification",
        {
            probatio.Optional("notification_id"): cv.string,
            probatio.Optional("all", default=False): cv.boolean,
        },
    ),
    Action(
        "invoke_notification_action",
        {
            probatio.Required("notification_id"): cv.string,
            probatio.Required("action"): cv.string,
        },
    ),
    Action(
        "send_text",
        {
            probatio.Optional("text"): cv.string,
            probatio.Optional("append", default=False): cv.boolean,
            probatio.Optional("submit", default=False): cv.boolean,
            probatio.Optional("cancel", default=False): cv.boolean,
        },
        is_single=True,
    ),
    Action("get_tv_lineup", answers=True),
    Action(
        "tune_channel",
        {
            probatio.Optional("channel_id"): _NAME,
            probatio.Optional("lineup_id"): _NAME,
            probatio.Optional("channel_name"): _NAME,
        },
        may_answer=True,
    ),
    Action(
        "press_tv_button",
        {
            probatio.Required("button"): _NAME,
            probatio.Optional("tv_device"): _NAME,
        },
        may_answer=True,
    ),
    Action(
        "launch_title",
        {
            probatio.Required("title"): _NAME,
            probatio.Optional("location", default="full"): probatio.In(
                ["full", "fill", "snapped", "start_view", "system_ui", "default"]
            ),
        },
        may_answer=True,
    ),
    Action("set_text", {probatio.Required("text"): cv.string}, is_single=True),
    Action("append_text", {probatio.Required("text"): cv.string}, is_single=True),
    Action("clear_text", is_single=True),
    Action(
        "launch_app",
        {
            probatio.Required("app"): probatio.All(
                cv.string, probatio.Length(min=1, max=MAX_TARGET)
            ),
        },
    ),
    Action("get_apps", answers=True),
    Action(
        "swipe",
        {
            probatio.Required("start_x"): _POINT,
            probatio.Required("start_y"): _POINT,
            probatio.Required("end_x"): _POINT,
            probatio.Required("end_y"): _POINT,
            probatio.Optional("duration_ms", default=200): probatio.All(
                probatio.Coerce(int), probatio.Range(min=1, max=MAX_SWIPE)
            ),
        },
        is_single=True,
    ),
    Action(
        "click",
        {
            probatio.Optional("click", default="single"): probatio.In(
                ["single", "double", "hold"]
            ),
        },
        is_single=True,
    ),
    Action(
        "skip",
        {
            probatio.Required("seconds"): probatio.All(
                probatio.Coerce(float), probatio.Range(min=-MAX_SKIP, max=MAX_SKIP)
            ),
        },
    ),
    Action("get_output_devices", answers=True),
    Action("set_output_devices", _OUTPUTS, is_single=True),
    Action("add_output_devices", _OUTPUTS, is_single=True),
    Action("remove_output_devices", _OUTPUTS, is_single=True),
    Action(
        "set_output_volume",
        {
            probatio.Required("output_device"): _NAME,
            probatio.Required("volume_level"): cv.small_float,
        },
        is_single=True,
    ),
    Action(
        "get_games",
        {
            probatio.Optional("state"): probatio.In(["open", "playing"]),
            probatio.Optional("mod"): _NAME,
            probatio.Optional("game_type"): _NAME,
            probatio.Optional("host"): _NAME,
            probatio.Optional("player"): _NAME,
            probatio.Optional("map"): _NAME,
            probatio.Optional("open_slots", default=0): probatio.All(
                probatio.Coerce(int), probatio.Range(min=0, max=MAX_SLOTS)
            ),
            probatio.Optional("no_password", default=False): cv.boolean,
            probatio.Optional("limit", default=50): _LISTED,
        },
        answers=True,
    ),
    Action(
        "get_players",
        {
            probatio.Optional("login"): _NAME,
            probatio.Optional("clan"): _NAME,
            probatio.Optional("country"): _NAME,
            probatio.Optional("limit", default=50): _LISTED,
        },
        answers=True,
    ),
    Action("add_friend", _PLAYER, is_single=True),
    Action("remove_friend", _PLAYER, is_single=True),
    Action("add_foe", _PLAYER, is_single=True),
    Action("remove_foe", _PLAYER, is_single=True),
)
"""Every action of the integration."""


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register every action."""
    for action in ACTIONS:
        _async_register(hass, action)


@callback
def _async_register(hass: HomeAssistant, action: Action) -> None:
    devices = (
        cv.string if action.is_for_one else probatio.All(cv.ensure_list, [cv.string])
    )

    async def async_handle(call: ServiceCall) -> ServiceResponse:
        data = {key: value for key, value in call.data.items() if key != ATTR_DEVICE_ID}
        targets = call.data[ATTR_DEVICE_ID]
        # All of them are looked up before anything happens.
        entries = [
            _async_find(hass, device_id)
            for device_id in (
                [targets] if action.is_for_one else dict.fromkeys(targets)
            )
        ]
        # A device that fails, or is slow, keeps none of the others waiting.
        outcomes = await asyncio.gather(
            *(entry.runtime_data.async_action(action.name, data) for entry in entries),
            return_exceptions=True,
        )
        response: ServiceResponse = None
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            response = outcome
        return response

    hass.services.async_register(
        DOMAIN,
        action.name,
        async_handle,
        schema=probatio.Schema(
            {probatio.Required(ATTR_DEVICE_ID): devices, **action.fields}
        ),
        supports_response=action.supports_response,
    )


@callback
def _async_find(hass: HomeAssistant, device_id: str) -> RumpusConfigEntry:
    """Return the entry of a device; raises ServiceValidationError when there is none loaded."""
    _, entry = service.async_get_device_and_config_entry(hass, DOMAIN, device_id)
    found: RumpusConfigEntry = entry
    return found
