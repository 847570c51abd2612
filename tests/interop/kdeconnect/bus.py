"""The message bus of a session, as a caller and as a service, in a few typed words."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from dbus_fast import DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.constants import RequestNameReply
from dbus_fast.unpack import unpack_variants

CALL_TIMEOUT: Final = 45.0
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_DRIVER: Final = "org.freedesktop.DBus"
_DRIVER_PATH: Final = "/org/freedesktop/DBus"

# What a method of a service returns: the signature of the answer and its values.
type Answer = tuple[str, tuple[object, ...]]
type Method = Callable[..., Answer]
NOTHING: Final[Answer] = ("", ())


class BusError(Exception):
    """A call failed: no such object, no such method, or the other side refused."""


class Service:
    """An object on the bus; subclasses give methods and properties."""

    path: str
    # Well-known name that goes with the object; empty when another object has it.
    name: str

    def __init__(self) -> None:
        """The object is on no bus yet."""
        self._bus: Bus | None = None
        # Every call in order: the member, or "Set NAME", and the arguments.
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def methods(self) -> Mapping[tuple[str, str], Method]:
        """Return the methods by interface and member."""
        raise NotImplementedError

    def properties(self, interface: str) -> dict[str, Variant]:
        """Return the properties of an interface, all of them."""
        return {}

    def set_property(self, name: str, value: object) -> None:
        """Take a property that a client sets."""
        raise BusError(f"{name} cannot be set")

    def attach(self, bus: Bus | None) -> None:
        """Remember the bus that signals go to."""
        self._bus = bus

    def emit(self, interface: str, member: str, signature: str, *body: object) -> None:
        """Send a signal from this object."""
        if self._bus is not None:
            self._bus.emit(self.path, interface, member, signature, *body)

    def properties_changed(self, interface: str, *names: str) -> None:
        """Announce the present values of properties."""
        values = self.properties(interface)
        changed = {name: values[name] for name in names}
        self.emit(PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, changed, [])

    def handle(self, message: Message) -> Answer | None:
        """Answer a call to this object; None when there is no such method."""
        body = tuple(unpack_variants(list(message.body)))
        member = message.member or ""
        if message.interface == PROPERTIES:
            return self._handle_properties(member, body)
        method = self.methods().get((message.interface or "", member))
        if method is None:
            return None
        self.calls.append((member, body))
        return method(*body)

    def _handle_properties(
        self, member: str, body: tuple[object, ...]
    ) -> Answer | None:
        match member, body:
            case "Get", (str(interface), str(name)):
                return "v", (self.properties(interface)[name],)
            case "GetAll", (str(interface),):
                return "a{sv}", (self.properties(interface),)
            case "Set", (str(), str(name), value):
                self.calls.append((f"Set {name}", (value,)))
                self.set_property(name, value)
                return NOTHING
        return None


class Bus:
    """A connection to a bus. Every wait is bounded; errors are BusError."""

    def __init__(self, bus: MessageBus) -> None:
        """Wrap a connection that is up; see ``connect``."""
        self._bus = bus
        self._services: dict[str, Service] = {}
        self._watched: list[tuple[str, list[tuple[str, tuple[object, ...]]]]] = []
        bus.add_message_handler(self._handle)

    @classmethod
    async def connect(cls, address: str) -> Bus:
        """Connect to a bus by its address."""
        return cls(await MessageBus(bus_address=address).connect())

    def close(self) -> None:
        """Close the connection; the names that it owns vanish with it."""
        for service in self._services.values():
            service.attach(None)
        self._services.clear()
        self._bus.disconnect()

    async def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        *body: object,
    ) -> list[object]:
        """Call a method and return what it answers."""
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                reply = await self._bus.call(message)
        except TimeoutError as err:
            raise BusError(f"{interface}.{member}: no answer") from err
        except (DBusError, EOFError, OSError) as err:
            raise BusError(f"{interface}.{member}: {err}") from err
        if reply is None or reply.message_type is MessageType.ERROR:
            reason = reply.body[0] if reply and reply.body else "no answer"
            raise BusError(f"{interface}.{member}: {reason}")
        return list(unpack_variants(list(reply.body)))

    async def get(
        self, destination: str, path: str, interface: str, name: str
    ) -> object:
        """Return a property."""
        answer = await self.call(
            destination, path, PROPERTIES, "Get", "ss", interface, name
        )
        return answer[0]

    async def set(
        self,
        destination: str,
        path: str,
        interface: str,
        name: str,
        signature: str,
        value: object,
    ) -> None:
        """Set a property."""
        body = (interface, name, Variant(signature, value))
        await self.call(destination, path, PROPERTIES, "Set", "ssv", *body)

    async def has_owner(self, name: str) -> bool:
        """Tell whether a well-known name is taken."""
        answer = await self.call(
            _DRIVER, _DRIVER_PATH, _DRIVER, "NameHasOwner", "s", name
        )
        return answer[0] is True

    async def watch(self, interface: str) -> list[tuple[str, tuple[object, ...]]]:
        """Return a list that grows by the member and body of each signal from now on."""
        rule = f"type='signal',interface='{interface}'"
        seen: list[tuple[str, tuple[object, ...]]] = []
        self._watched.append((interface, seen))
        await self.call(_DRIVER, _DRIVER_PATH, _DRIVER, "AddMatch", "s", rule)
        return seen

    async def publish(self, service: Service) -> None:
        """Put a service on the bus under its name."""
        self._services[service.path] = service
        service.attach(self)
        if not service.name:
            return
        if (
            await self._bus.request_name(service.name)
            is not RequestNameReply.PRIMARY_OWNER
        ):
            raise BusError(f"{service.name} is taken")

    async def withdraw(self, service: Service) -> None:
        """Take a service off the bus, as if its program had ended."""
        if service.name:
            await self._bus.release_name(service.name)
        self._services.pop(service.path, None)
        service.attach(None)

    def emit(
        self, path: str, interface: str, member: str, signature: str, *body: object
    ) -> None:
        """Send a signal."""
        message = Message.new_signal(path, interface, member, signature, list(body))
        self._bus.send(message)

    def _keep(self, message: Message) -> None:
        for interface, seen in self._watched:
            if message.interface == interface:
                body = tuple(unpack_variants(list(message.body)))
                seen.append((message.member or "", body))

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is MessageType.SIGNAL:
            self._keep(message)
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        service = self._services.get(message.path or "")
        if service is None:
            return None
        try:
            answer = service.handle(message)
        except (BusError, KeyError, TypeError) as err:
            return Message.new_error(
                message, "org.freedesktop.DBus.Error.Failed", str(err)
            )
        if answer is None:
            return None
        signature, body = answer
        return Message.new_method_return(message, signature, list(body))
