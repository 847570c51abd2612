"""Text messages of the device."""

import asyncio
from collections.abc import Mapping
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ....const import DOMAIN, LOGGER
from ....entity import translated_errors
from ....protocols.budget import Budget
from ....protocols.errors import DisconnectedError, RumpusError, UnsupportedError
from ....protocols.kdeconnect.link import MAX_LONG_LINE
from ....protocols.kdeconnect.plugins import Message, sms, telephony
from ....protocols.kdeconnect.plugins.inbox import Inbox
from ....protocols.kdeconnect.plugins.sms import (
    MAX_ADDRESS,
    MAX_RECIPIENTS,
    MAX_SENT_TEXT,
    AttachmentFile,
    TextMessage,
    TextMessages,
)
from ....protocols.kdeconnect.plugins.telephony import OldSms
from ..const import EVENT_MESSAGE, MESSAGE
from ..feature import ActionHandler, Feature
from ..options import Option
from .contacts import caller_name, name_of
from .messages_answers import Collector
from .messages_events import (
    MAX_BURST,
    REFILL,
    event_data,
    is_group,
    iso_date,
    message_data,
)
from .messages_files import async_read_attachments, async_store_attachment

if TYPE_CHECKING:
    from datetime import datetime

    from homeassistant.util.json import JsonObjectType

    from ....protocols.kdeconnect.packet import Packet, Payload
    from ..coordinator import KdeConnectCoordinator

RECEIVED: Final = "received"
"""The type of the events."""
MAX_CONVERSATIONS: Final = 500
"""Conversations that are listed: those with the newest messages."""
PAGE: Final = 50
"""Messages that are asked for at once: with pictures they are long."""
LIST_WAIT: Final = 30.0
"""Seconds that a device may take to begin with its list after it has connected."""
LIST_QUIET: Final = 2.0
"""Seconds without a packet after which that list is complete."""
ATTACHMENT_WAIT: Final = 30.0
"""Seconds that a device may take to offer an attachment."""


class MessagesFeature(Feature):
    """Tells of new messages, sends some, and reads old ones when it is asked to.

    No message is kept.
    """

    option: ClassVar[Option | None] = Option.MESSAGES
    max_packet: ClassVar[int] = MAX_LONG_LINE

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without knowing any."""
        super().__init__(coordinator)
        # It stays over times without a link, so that nothing is told twice.
        self._inbox = Inbox()
        self._budget = Budget(MAX_BURST, REFILL)
        self._dropped = 0
        self._listing: asyncio.Task[None] | None = None
        self._collectors: set[Collector] = set()
        self._offers: dict[str, asyncio.Future[Payload]] = {}
        self._fetching = asyncio.Lock()

    @property
    def exists(self) -> bool:
        """Whether the device may tell of messages, in the new way or the old one."""
        return self._has_conversations or self.device.sends(telephony.TYPE)

    @property
    def _has_conversations(self) -> bool:
        return self.device.sends(sms.TYPE_MESSAGES)

    @callback
    @override
    def connected(self) -> None:
        self._stop_listing()
        if not self._has_conversations or not self.device.supports(
            sms.TYPE_REQUEST_CONVERSATIONS
        ):
            return
        self._inbox.begin_list(_now_ms())
        self._listing = self.coordinator.entry.async_create_background_task(
            self.hass, self._async_list(), f"{DOMAIN} conversations"
        )

    async def _async_list(self) -> None:
        """Ask for all conversations: only then a phone tells of new messages."""
        collector = Collector()
        self._collectors.add(collector)
        try:
            await self.device.send(sms.request_conversations())
            await collector.async_wait(LIST_WAIT, LIST_QUIET, LIST_WAIT)
        except TimeoutError:
            LOGGER.debug("%s: no answer about messages", self.device.device_id)
        except RumpusError as err:
            LOGGER.debug("%s: messages: %s", self.device.device_id, err)
            return
        finally:
            self._collectors.discard(collector)
        self._inbox.end_list(_now_ms())

    def _stop_listing(self) -> None:
        if self._listing is not None:
            self._listing.cancel()
            self._listing = None

    @callback
    @override
    def disconnected(self) -> None:
        self._stop_listing()
        for collector in self._collectors:
            collector.lost()
        for offer in self._offers.values():
            offer.cancel()

    @override
    async def async_stop(self) -> None:
        self.disconnected()

    @callback
    @override
    def unpaired(self) -> None:
        self.disconnected()
        self._inbox = Inbox()

    # New messages

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case TextMessages():
                self._received(message)
            case OldSms() if not self._has_conversations:
                self._tell_old(message)
            case AttachmentFile(filename, payload):
                offer = self._offers.get(filename)
                if offer is not None and not offer.done():
                    offer.set_result(payload)

    def _received(self, update: TextMessages) -> None:
        asked = {
            collector.thread_id
            for collector in self._collectors
            if collector.thread_id is not None
        }
        arrived = self._inbox.merge(update, _now_ms(), asked)
        for collector in self._collectors:
            collector.received(update)
        for message in arrived:
            self._tell(
                event_data(message, self._name),
                is_group=is_group(message),
                attachments=len(message.attachments),
            )

    def _tell_old(self, message: OldSms) -> None:
        number = message.number
        contact = caller_name(self.coordinator, number, message.contact)
        self._tell(
            {
                "thread_id": None,
                "message_id": None,
                "date": iso_date(_now_ms()),
                "number": number,
                "numbers": [] if number is None else [number],
                "text": message.body,
                "is_group": False,
                "sim": None,
                "attachments": [],
                "contact": contact,
            },
            is_group=False,
            attachments=0,
        )

    def _tell(self, data: JsonObjectType, *, is_group: bool, attachments: int) -> None:
        if not self._budget.take(self.hass.loop.time()):
            self._dropped += 1
            if self._dropped == 1:
                LOGGER.warning(
                    "%s sends more new messages than are told", self.device.device_id
                )
            return
        # The state is for everybody to see: that a message has come, and what kind of one.
        self.coordinator.fire(
            MESSAGE, RECEIVED, {"is_group": is_group, "attachments": attachments}
        )
        self.coordinator.fire_bus(EVENT_MESSAGE, data)

    def _name(self, number: str) -> str | None:
        return name_of(self.coordinator, number)

    # Actions

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {
            "send_sms": self._async_send,
            "list_conversations": self._async_list_conversations,
            "get_conversation": self._async_get_conversation,
            "save_attachment": self._async_save_attachment,
        }

    async def _async_send(self, data: Mapping[str, Any]) -> ServiceResponse:
        """Send a message; whether it has gone further than to the phone nobody tells."""
        recipients = [recipient.strip() for recipient in data["recipients"]]
        recipients = list(dict.fromkeys(recipients))
        text, files = data["message"], data["attachments"]
        if not 0 < len(recipients) <= MAX_RECIPIENTS or not all(
            0 < len(recipient) <= MAX_ADDRESS and recipient.isprintable()
            for recipient in recipients
        ):
            raise _wrong("message_recipients", limit=str(MAX_RECIPIENTS))
        if not text and not files:
            raise _wrong("message_empty")
        if len(text) > MAX_SENT_TEXT:
            raise _wrong("message_too_long", limit=str(MAX_SENT_TEXT))
        self._require(sms.TYPE_REQUEST)
        attachments = await async_read_attachments(self.hass, files)
        await self.coordinator.async_send(
            sms.send(recipients, text, attachments, data.get("sim"))
        )
        return None

    async def _async_list_conversations(
        self, _data: Mapping[str, Any]
    ) -> ServiceResponse:
        found = await self._async_ask(sms.request_conversations(), Collector())
        return {
            "conversations": [
                message_data(message, self._name)
                for message in sorted(found, key=_age, reverse=True)[:MAX_CONVERSATIONS]
            ]
        }

    async def _async_get_conversation(self, data: Mapping[str, Any]) -> ServiceResponse:
        """Read a conversation in pages, since a whole one may be too long for a packet."""
        thread_id, limit = data["thread_id"], data["limit"]
        before: datetime | None = data.get("before")
        before_ms: int | None = None
        if before is not None:  # in this home's time zone unless it names one
            before_ms = int(dt_util.as_utc(before).timestamp() * 1000)
        known: dict[tuple[int, int], TextMessage] = {}
        while len(known) < limit:
            # The last message of a page comes again as the first of the next.
            count = min(PAGE, limit - len(known) + (1 if known else 0))
            page = await self._async_ask(
                sms.request_conversation(thread_id, before_ms, count),
                Collector(thread_id, count),
            )
            fresh = {
                (message.id, message.date_ms): message
                for message in page
                if (message.id, message.date_ms) not in known
            }
            known.update(fresh)
            if not fresh or len(page) < count:
                break
            before_ms = min(message.date_ms for message in known.values())
        newest = sorted(known.values(), key=_age)[-limit:]
        return {"messages": [message_data(message, self._name) for message in newest]}

    async def _async_ask(
        self, packet: Packet, collector: Collector
    ) -> list[TextMessage]:
        """Return the answer to a question; raises translated errors."""
        self._require(packet.type)
        self._collectors.add(collector)
        try:
            await self.coordinator.async_send(packet)
            with translated_errors(self.device.name):
                await collector.async_wait()
        except TimeoutError as err:
            raise self._no_answer("messages_no_answer") from err
        finally:
            self._collectors.discard(collector)
        return collector.messages

    async def _async_save_attachment(self, data: Mapping[str, Any]) -> ServiceResponse:
        identifier = data["unique_identifier"]
        self._require(sms.TYPE_REQUEST_ATTACHMENT)
        async with self._fetching:
            payload = await self._async_offer(data["part_id"], identifier)
            stored = await async_store_attachment(
                self.coordinator, payload, data.get("filename") or identifier
            )
        return {
            "path": str(stored.path),
            "media_content_id": stored.media_content_id,
            "mime_type": stored.mime_type,
            "size": stored.size,
        }

    async def _async_offer(self, part_id: int, identifier: str) -> Payload:
        """Ask for an attachment and wait until it can be fetched."""
        offer: asyncio.Future[Payload] = self.hass.loop.create_future()
        self._offers[identifier] = offer
        try:
            await self.coordinator.async_send(
                sms.request_attachment(part_id, identifier)
            )
            await asyncio.wait({offer}, timeout=ATTACHMENT_WAIT)
            if not offer.done():
                raise self._no_answer("attachment_no_answer")
            with translated_errors(self.device.name):
                if offer.cancelled():
                    raise DisconnectedError("the device has gone")
                return offer.result()
        finally:
            del self._offers[identifier]

    def _require(self, packet_type: str) -> None:
        """Refuse at once what cannot work."""
        with translated_errors(self.device.name):
            if not self.device.is_connected:
                raise DisconnectedError("the device is not connected")
            if not self.device.supports(packet_type):
                raise UnsupportedError("the device has no messages")

    def _no_answer(self, translation_key: str) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=translation_key,
            translation_placeholders={"name": self.device.name},
        )

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"conversations": len(self._inbox), "messages_dropped": self._dropped}


def _now_ms() -> int:
    return int(time.time() * 1000)


def _age(message: TextMessage) -> tuple[int, int]:
    return message.date_ms, message.id


def _wrong(translation_key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=placeholders,
    )
