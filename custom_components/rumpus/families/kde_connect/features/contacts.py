"""Contacts of the device: names for numbers."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError

from ....const import DOMAIN, LOGGER
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError, RumpusError, UnsupportedError
from ....protocols.kdeconnect.link import MAX_LONG_LINE
from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.plugins import Message, contacts
from ....protocols.kdeconnect.plugins.contacts import ContactCards, ContactUids
from ....protocols.kdeconnect.plugins.vcard import same_number
from ..feature import ActionHandler, Feature
from ..options import Option
from .contacts_book import AddressBook, parse_cards

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

BATCH: Final = 50
"""Cards that are asked for at once: with pictures they are long."""
ANSWER_TIME: Final = 10.0
"""Seconds that a device may take for its list, or for some cards."""
MAX_SILENCE: Final = 10
"""Questions in a row that a device may leave unanswered; then it is asked no more."""
REFRESH_TIME: Final = 600.0
"""Seconds after which the device is asked anew before an answer is given."""


class ContactsFeature(Feature):
    """Keeps the device's contacts in memory for as long as Home Assistant runs."""

    option: ClassVar[Option | None] = Option.CONTACTS
    max_packet: ClassVar[int] = MAX_LONG_LINE

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without contacts."""
        super().__init__(coordinator)
        self._book = AddressBook()
        self._sync: asyncio.Task[bool] | None = None
        self._synced: float | None = None
        self._silence = 0
        self._take: Callable[[Message], None] | None = None

    @callback
    @override
    def connected(self) -> None:
        if self._is_offered:
            self._start()

    @callback
    @override
    def disconnected(self) -> None:
        if self._sync is not None:
            self._sync.cancel()
            self._sync = None

    @override
    async def async_stop(self) -> None:
        self.disconnected()

    @callback
    @override
    def unpaired(self) -> None:
        self.disconnected()
        self._book.clear()
        self._synced = None

    @callback
    @override
    def received(self, message: Message) -> None:
        # What nobody has asked for is not taken.
        if self._take is not None:
            self._take(message)

    @callback
    def name_of(self, number: str) -> str | None:
        """Return the name that belongs to a number, None when there is none."""
        return self._book.name_of(number)

    @property
    def _is_offered(self) -> bool:
        return self.device.sends(contacts.TYPE_CARDS) and self.device.supports(
            contacts.TYPE_REQUEST_UIDS
        )

    # Fetching

    def _start(self) -> asyncio.Task[bool]:
        """Fetch what is new, unless that is being done."""
        if self._sync is None or self._sync.done():
            self._sync = self.coordinator.entry.async_create_background_task(
                self.hass, self._async_sync(), f"{DOMAIN} contacts"
            )
        return self._sync

    async def _async_sync(self) -> bool:
        """Fetch what is new; false when the device does not answer."""
        self._silence = 0
        try:
            uids = await self._async_ask(contacts.request_uids(), ContactUids)
            wanted = self._book.wanted(uids)
            for start in range(0, len(wanted), BATCH):
                await self._async_fetch(uids, wanted[start : start + BATCH])
        except TimeoutError:
            LOGGER.debug("%s: no answer about contacts", self.device.device_id)
            return False
        except RumpusError as err:
            LOGGER.debug("%s: contacts: %s", self.device.device_id, err)
            return False
        self._synced = self.hass.loop.time()
        return True

    async def _async_fetch(self, uids: ContactUids, wanted: list[str]) -> None:
        """Fetch some cards; fewer at a time when their pictures are too large together.

        Raises TimeoutError when the device answers nothing any more.
        """
        asked = frozenset(wanted)
        try:
            cards = await self._async_ask(
                contacts.request_cards(wanted),
                ContactCards,
                # Not the late answer to an earlier question.
                lambda answer: answer.cards.keys() <= asked,
            )
        except TimeoutError:
            self._silence += 1
            if self._silence >= MAX_SILENCE:
                raise
            half = len(wanted) // 2
            if half:  # else it has no card that we could read
                await self._async_fetch(uids, wanted[:half])
                await self._async_fetch(uids, wanted[half:])
            return
        self._silence = 0
        parsed = await self.hass.async_add_executor_job(parse_cards, cards)
        self._book.update(uids, parsed)

    async def _async_ask[MessageT: Message](
        self,
        packet: Packet,
        kind: type[MessageT],
        fits: Callable[[MessageT], bool] = lambda _: True,
    ) -> MessageT:
        """Send a question and return the answer; raises TimeoutError without one."""
        answer: asyncio.Future[MessageT] = self.hass.loop.create_future()

        def take(message: Message) -> None:
            if isinstance(message, kind) and fits(message) and not answer.done():
                answer.set_result(message)

        self._take = take
        try:
            await self.device.send(packet)
            async with asyncio.timeout(ANSWER_TIME):
                return await answer
        finally:
            if self._take is take:
                self._take = None

    # Action

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {"get_contacts": self._async_get}

    async def _async_get(self, data: Mapping[str, Any]) -> ServiceResponse:
        await self._async_refresh()
        return {
            "contacts": [
                {
                    "name": contact.name,
                    "numbers": list(contact.numbers),
                    "emails": list(contact.emails),
                }
                for contact in self._book.search(data.get("search"), data.get("number"))
            ]
        }

    async def _async_refresh(self) -> None:
        """Fetch what may be new; raises a translated error when nothing is known."""
        is_connected = self.device.is_connected
        if self._synced is None:
            with translated_errors(self.device.name):
                if not is_connected:
                    raise DisconnectedError("the device is not connected")
                if not self._is_offered:
                    raise UnsupportedError("the device does not tell its contacts")
        elif self.hass.loop.time() - self._synced < REFRESH_TIME or not is_connected:
            return
        # What others wait for, too, goes on when one of them does not wait any more.
        await asyncio.wait({self._start()}, timeout=ANSWER_TIME)
        if self._synced is None:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="contacts_no_answer",
                translation_placeholders={"name": self.device.name},
            )

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"contacts": len(self._book)}


@callback
def name_of(coordinator: KdeConnectCoordinator, number: str) -> str | None:
    """Return the name of a number's owner; None without one, or without permission."""
    feature = coordinator.find(ContactsFeature)
    return None if feature is None else feature.name_of(number)


@callback
def caller_name(
    coordinator: KdeConnectCoordinator, number: str | None, told: str | None
) -> str | None:
    """Return the name that the device told, or our own if it told the mere number."""
    if number is None or (told is not None and not same_number(number, told)):
        return told
    return name_of(coordinator, number) or told
