"""Parties: invitations, their answers, and leaving again (section 8.2)."""

from typing import TYPE_CHECKING

from tests.fakes.faf_dispatch import ClientError, Handler
from tests.fakes.faf_json import JsonObject, items_of, number_of
from tests.fakes.faf_models import FACTIONS, Party, Player, PlayerState

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_matchmaker import Matchmaker
    from tests.fakes.faf_session import Session


class Parties:
    """Everybody is in one, most of them alone."""

    def __init__(self, core: Core, matchmaker: Matchmaker) -> None:
        self._core = core
        self._matchmaker = matchmaker
        self.handlers: dict[str, Handler] = {
            "invite_to_party": self._invite,
            "accept_party_invite": self._accept,
            "kick_player_from_party": self._kick,
            "leave_party": self._leave,
            "set_party_factions": self._set_factions,
        }

    def invite(self, sender: Player, recipient: Player) -> None:
        """Ask somebody to come along."""
        party = self._party(sender)
        if party.owner is not sender:
            raise ClientError("You do not own this party.")
        if sender.id in recipient.account.foes:
            return
        party.invited.add(recipient.id)
        recipient.write({"command": "party_invite", "sender": sender.id})

    def accept(self, recipient: Player, sender: Player) -> None:
        """Come along."""
        party = self._party(sender)
        if recipient.id not in party.invited:
            raise ClientError("You are not invited to that party (anymore)")
        if self._matchmaker.is_searching(sender):
            raise ClientError("That party is already in queue!")
        party.invited.discard(recipient.id)
        if len(self._party(recipient).members) > 1:
            self.leave(recipient)
        party.members[recipient.id] = recipient
        recipient.party = party
        self._changed(party)

    def leave(self, player: Player) -> None:
        """Go one's own way again; a party without its owner gets another one."""
        party = self._party(player)
        self._matchmaker.stop_all(player)
        party.members.pop(player.id, None)
        party.factions.pop(player.id, None)
        if party.members and party.owner is player:
            party.owner = next(iter(party.members.values()))
        if party.members:
            self._changed(party)
        alone = Party(player)
        alone.members[player.id] = player
        player.party = alone

    def _changed(self, party: Party) -> None:
        self._core.touch_party(party)
        self._core.events.emit(
            "party", owner=party.owner.login, members=list(party.members)
        )

    @staticmethod
    def _party(player: Player) -> Party:
        assert player.party is not None
        return player.party

    def _other(self, message: JsonObject, name: str) -> Player:
        other = self._core.players.get(number_of(message, name))
        if other is None:
            raise ClientError("The player you are looking for does not exist.")
        return other

    @staticmethod
    def _idle(session: Session) -> Player:
        player = session.player
        assert player is not None
        if player.state is not PlayerState.IDLE:
            raise ClientError(f"Can't do that while in state {player.state}.")
        return player

    async def _invite(self, session: Session, message: JsonObject) -> None:
        self.invite(self._idle(session), self._other(message, "recipient_id"))

    async def _accept(self, session: Session, message: JsonObject) -> None:
        self.accept(self._idle(session), self._other(message, "sender_id"))

    async def _kick(self, session: Session, message: JsonObject) -> None:
        player = self._idle(session)
        other = self._other(message, "kicked_player_id")
        party = self._party(player)
        if len(party.members) < 2 or party.owner is not player:
            raise ClientError("You do not own a party.")
        if other.id in party.members:
            other.write({"command": "kicked_from_party"})
            self.leave(other)

    async def _leave(self, session: Session, message: JsonObject) -> None:
        player = session.player
        assert player is not None
        if len(self._party(player).members) < 2:
            raise ClientError("You are not in a party.")
        self.leave(player)
        await session.send(
            {"command": "update_party", "owner": player.id, "members": []}
        )

    async def _set_factions(self, session: Session, message: JsonObject) -> None:
        player = session.player
        assert player is not None
        factions = items_of(message, "factions")
        if not factions:
            raise ClientError("You must select at least one faction.")
        names = []
        for faction in factions:
            if isinstance(faction, str) and faction in FACTIONS:
                names.append(faction)
            elif isinstance(faction, int) and 1 <= faction <= len(FACTIONS):
                names.append(FACTIONS[faction - 1])
            else:
                raise ValueError("no faction")
        party = self._party(player)
        party.factions[player.id] = names
        self._changed(party)
