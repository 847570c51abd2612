"""A client's connection to the AirPlay server of a fake Apple TV."""

import asyncio
from collections.abc import Callable
import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Final

from tests.fakes.apple_tv_crypto import ChannelCipher, HapFrames, WireError, hkdf
from tests.fakes.apple_tv_hap import Accessory, Refusal
from tests.fakes.apple_tv_legacy import LegacyAccessory
from tests.fakes.apple_tv_rtsp import OCTETS, Request, Requests, Response, RtspError
from tests.fakes.apple_tv_stream import Link
from tests.fakes.apple_tv_tunnel import Session

if TYPE_CHECKING:
    from tests.fakes.apple_tv_airplay import AirPlayServer

HAP: Final = "3"
TRANSIENT: Final = "4"
UNAUTHORIZED: Final = 401
NOT_NOW: Final = 455
AUTHORIZE: Final = 470
_REALM: Final = "airplay"
_CLIENT_NAME: Final = "X-Apple-Client-Name"
_DIGEST: Final = re.compile(r'(\w+)="([^"]*)"')

type _Handler = Callable[[Request], Response | None]


class Control:
    """One connection: pairing, verification, and what a verified client may do."""

    def __init__(self, server: AirPlayServer, link: Link) -> None:
        """Nobody is verified yet."""
        self.server = server
        self.link = link
        self.accessory: Accessory = server.core.desk.accessory("airplay")
        self.legacy = LegacyAccessory(server.core.desk)
        self.session: Session | None = None
        self.requests: list[Request] = []
        self._frames: HapFrames | None = None
        self._parser = Requests()
        self._nonce = secrets.token_hex(16)
        self._pin_asked_at: float | None = None
        self._setups = 0
        link.on_data = self._received
        link.on_lost = self._lost
        self._paths: dict[tuple[str, str], _Handler] = {
            ("GET", "/info"): lambda request: Response.of_plist(server.info()),
            ("POST", "/pair-pin-start"): self._pin_start,
            ("POST", "/pair-setup"): self._pair_setup,
            ("POST", "/pair-setup-pin"): self._pair_setup_pin,
            ("POST", "/pair-verify"): self._pair_verify,
            ("POST", "/feedback"): self._feedback,
        }
        self._methods: dict[str, _Handler] = {
            "SETUP": self._setup,
            "RECORD": self._record,
            "TEARDOWN": self._teardown,
            "OPTIONS": lambda request: Response(headers={"Public": "SETUP, RECORD"}),
        }

    def emit(self, kind: str, **data: object) -> None:
        """Tell what happened."""
        self.server.core.events.emit(kind, peer=self.link.peer, **data)

    @property
    def secret(self) -> bytes | None:
        """What the keys of the session come from; None before verification."""
        return self.accessory.shared_secret

    @property
    def is_verified(self) -> bool:
        """Whether it may use the device."""
        free = self.server.core.airplay_pairing == "none"
        return free or self.secret is not None or self.legacy.is_verified

    def write(self, data: bytes) -> None:
        """Send, encrypted if the connection is."""
        self.link.write(self._frames.encode(data) if self._frames else data)

    def corrupt(self) -> None:
        """Send a frame that does not decrypt."""
        self.link.write(b"\x05\x00" + bytes(5 + 16))

    def _received(self, data: bytes) -> None:
        try:
            self._parser.feed(self._frames.feed(data) if self._frames else data)
            while (request := self._parser.next()) is not None:
                self._handle(request)
        except (WireError, RtspError) as error:
            self.emit("airplay_malformed", why=str(error))
            self.link.abort()

    def _lost(self) -> None:
        self.server.controls.discard(self)
        self.accessory.close()
        self.legacy.close()
        if self.session is not None:
            self.session.end("control lost")

    def _handle(self, request: Request) -> None:
        path = request.path if request.path.startswith("/") else ""
        self.emit("airplay_request", method=request.method, path=path)
        switches = self.server.switches
        name = path.partition("?")[0] or request.method
        if request.method == "SETUP":
            self._setups += 1
        names = {name, request.method, f"{request.method} {self._setups}"}
        if names & switches.mute:
            return
        response: Response | None
        refusal = next((switches.refuse[n] for n in names if n in switches.refuse), 0)
        if refusal:
            response = Response(refusal)
        else:
            response = self._route(request, path.partition("?")[0])
        if response is not None:
            self._answer(request, response)

    def _answer(self, request: Request, response: Response) -> None:
        if response.status != 200:
            self.emit("airplay_refused", method=request.method, status=response.status)
        switches = self.server.switches
        cseq = request.header("CSeq")
        for number in range(switches.stray_answers if cseq else 0):
            self.write(Response(200).encode(request.with_cseq(f"{9000 + number}")))
        if switches.wrong_cseq and cseq:
            request = request.with_cseq("8999")
        self.write(response.encode(request))
        if self.secret is not None and self._frames is None:
            # What was just written was the last in the clear.
            self._frames = HapFrames(
                ChannelCipher(
                    hkdf(self.secret, "Control-Salt", "Control-Read-Encryption-Key"),
                    hkdf(self.secret, "Control-Salt", "Control-Write-Encryption-Key"),
                )
            )
            self.emit("airplay_encrypted", transient=self.accessory.is_transient)

    def _route(self, request: Request, path: str) -> Response | None:
        if path:
            handler = self._paths.get((request.method, path))
            if handler is None:
                known = request.method in {"GET", "POST", "PUT"}
                return Response(404 if known else 501)
            return handler(request)
        method = self._methods.get(request.method)
        return Response(501) if method is None else method(request)

    # Pairing

    def _hkp(self, request: Request) -> Response | None:
        """Refuse what the device does not do: another kind of pairing, strangers."""
        core = self.server.core
        if request.header("X-Apple-HKP") not in {HAP, TRANSIENT}:
            return Response(501)
        if core.airplay_pairing == "legacy":
            return Response(404)
        if core.acl:
            return Response(AUTHORIZE)
        return None

    def _pin_start(self, request: Request) -> Response:
        core = self.server.core
        if request.header("X-Apple-HKP") not in {"", HAP, TRANSIENT}:
            return Response(501)
        if core.acl:
            return Response(AUTHORIZE)
        name = request.header(_CLIENT_NAME)
        self.emit("pair_pin_start", client_name=name)
        self._pin_asked_at = asyncio.get_running_loop().time()
        if core.airplay_pairing == "legacy":
            self.legacy.start_pin(name or None)
        elif core.airplay_pairing == "hap" and request.header("X-Apple-HKP") == HAP:
            self.accessory.start_pin(name or None)
        return Response()

    def _pair_setup(self, request: Request) -> Response | None:
        if refused := self._hkp(request):
            return refused
        is_transient = request.header("X-Apple-HKP") == TRANSIENT
        if is_transient and self.server.core.airplay_pairing != "transient":
            return Response(AUTHORIZE)
        if not is_transient:
            if self._is_late():
                return Response(AUTHORIZE)
            if name := request.header(_CLIENT_NAME):
                self.accessory.client_name = name
        elif refused := self._without_password(request):
            return refused
        answer = self.accessory.setup(request.body)
        return None if answer is None else Response(200, answer, OCTETS)

    def _is_late(self) -> bool:
        """Whether M1 does not come soon after the PIN was asked for."""
        if self._pin_asked_at is None:
            return True
        limit = self.server.switches.pin_timeout
        passed = asyncio.get_running_loop().time() - self._pin_asked_at
        return limit is not None and passed > limit

    def _pair_setup_pin(self, request: Request) -> Response | None:
        if self.server.core.airplay_pairing != "legacy":
            return Response(404)
        try:
            return Response.of_plist(self.legacy.setup(request.plist()))
        except Refusal, WireError:
            return Response(AUTHORIZE)

    def _pair_verify(self, request: Request) -> Response | None:
        if not request.header("X-Apple-HKP"):
            if self.server.core.airplay_pairing != "legacy":
                return Response(501)
            try:
                proof = self.legacy.verify(request.body)
            except Refusal, WireError:
                return Response(AUTHORIZE)
            return None if proof is None else Response(200, proof, OCTETS)
        if refused := self._hkp(request):
            return refused
        answer = self.accessory.verify(request.body)
        return None if answer is None else Response(200, answer, OCTETS)

    # What a verified client does

    def _without_password(self, request: Request) -> Response | None:
        """Refuse who does not know the password of the device, if it has one."""
        password = self.server.core.password
        if password is None:
            return None
        given = dict(_DIGEST.findall(request.header("Authorization")))
        user = given.get("username", "")
        expected = _digest(
            (user, _REALM, password),
            self._nonce,
            (request.method, given.get("uri", "")),
        )
        if given.get("nonce") == self._nonce and given.get("response") == expected:
            return None
        challenge = f'Digest realm="{_REALM}", nonce="{self._nonce}"'
        return Response(UNAUTHORIZED, headers={"WWW-Authenticate": challenge})

    def _guard(self, request: Request) -> Response | None:
        if not self.is_verified:
            return Response(AUTHORIZE)
        return self._without_password(request)

    def _setup(self, request: Request) -> Response | None:
        if refused := self._guard(request):
            return refused
        body = request.plist()
        if self.session is None:
            if "streams" in body:
                return Response(NOT_NOW)
            if self.secret is None or body.get("isRemoteControlOnly") is not True:
                return Response(501)
            self.session = Session(self, self.secret, body)
            port = self.session.open_events()
            return Response.of_plist({"eventPort": port, "timingPort": 0})
        streams = body.get("streams")
        stream = streams[0] if isinstance(streams, list) and streams else None
        if not isinstance(stream, dict):
            return Response(400)
        told = self.session.open_stream(stream)
        return Response(501) if told is None else Response.of_plist({"streams": [told]})

    def _record(self, request: Request) -> Response | None:
        if refused := self._guard(request):
            return refused
        if self.session is None:
            return Response(NOT_NOW)
        self.session.record()
        return Response()

    def _feedback(self, request: Request) -> Response | None:
        if refused := self._guard(request):
            return refused
        if self.session is None:
            return Response(NOT_NOW)
        self.session.feedback()
        return Response.of_plist({"streams": []})

    def _teardown(self, request: Request) -> Response | None:
        if refused := self._guard(request):
            return refused
        if self.session is None:
            return Response(NOT_NOW)
        self.session.end("teardown")
        return Response()


def _digest(who: tuple[str, str, str], nonce: str, what: tuple[str, str]) -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    return md5(f"{md5(':'.join(who))}:{nonce}:{md5(':'.join(what))}")
