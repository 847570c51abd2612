"""What a fake console offers: its services, and short ways to what they hold."""

from typing import TYPE_CHECKING

from tests.fakes.xbox_broadcast import BroadcastService
from tests.fakes.xbox_events import EventKind, EventLog, FakeEvent
from tests.fakes.xbox_media import MediaService
from tests.fakes.xbox_models import FakeMedia
from tests.fakes.xbox_service import InputService, Service
from tests.fakes.xbox_text import TextService
from tests.fakes.xbox_title import TitleService
from tests.fakes.xbox_tv import FakeTv, TvService

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole


class ServiceTable:
    """The services of a console, and its log."""

    def add_services(self, console: FakeConsole) -> None:
        """Make them."""
        self.events = EventLog()
        self.input = InputService(console)
        self.keyboard = TextService(console)
        self.media_service = MediaService(console)
        self.tv_service = TvService(console)
        self.title_service = TitleService(console)
        self.broadcast = BroadcastService(console)
        listed: tuple[Service, ...] = (
            self.input,
            self.keyboard,
            self.media_service,
            self.tv_service,
            self.title_service,
            self.broadcast,
        )
        self.services = {service.name: service for service in listed}

    # --- what happened ---

    @property
    def log(self) -> list[FakeEvent]:
        """Everything that happened."""
        return self.events.all

    async def wait_for(
        self, kind: EventKind, timeout: float = 5, **fits: object
    ) -> FakeEvent:
        """Return the next event of a kind, see the text of the module xbox."""
        return await self.events.wait_for(kind, timeout, **fits)

    def seen(self, kind: EventKind, **fits: object) -> list[FakeEvent]:
        """Return all events so far that fit."""
        return self.events.seen(kind, **fits)

    def mark(self) -> None:
        """Let `wait_for` forget what happened so far."""
        self.events.mark()

    @property
    def presses(self) -> list[FakeEvent]:
        """All Gamepad messages, with the times they came at."""
        return self.input.presses

    # --- what it plays and asks for ---

    @property
    def media(self) -> FakeMedia | None:
        """What plays, with the position of this moment."""
        return self.media_service.current

    def set_media(self, media: FakeMedia | None) -> None:
        """Play something, or nothing, and tell all clients."""
        self.media_service.set(media)

    @property
    def text(self) -> str:
        """What stands in the text field that is open, or was last."""
        return self.keyboard.text

    def open_text(
        self,
        prompt: str = "",
        text: str = "",
        scope: int = 0,
        max_length: int = 0,
        options: int = 0,
    ) -> int:
        """Open the on-screen keyboard; returns the session's number."""
        return self.keyboard.open(prompt, text, scope, max_length, options)

    def close_text(self, accepted: bool = True) -> None:
        """Close the on-screen keyboard, as by its user."""
        self.keyboard.close(accepted=accepted)

    @property
    def tv(self) -> FakeTv:
        """What the TV provider serves; may be changed."""
        return self.tv_service.tv

    def has_companion(self, title_id: int) -> bool:
        """Whether a title serves a title channel."""
        return title_id in self.title_service.title_ids
