"""What is played, as tvOS up to 11 tells it (the Apple TV reference, part B, 4.1, 9.2)."""

from typing import Final

from .proto import mrp_pb2 as pb


def is_old(message: pb.SetStateMessage) -> bool:
    """Return whether a message without a path is of that form."""
    return message.HasField("now_playing_info") or bool(message.display_id)


def path_of(message: pb.SetStateMessage) -> pb.PlayerPath:
    """Return who plays: the app alone, since it has one player."""
    return pb.PlayerPath(
        client=pb.NowPlayingClient(
            bundle_identifier=message.display_id, display_name=message.display_name
        )
    )


def queue_of_info(message: pb.SetStateMessage) -> pb.SetStateMessage:
    """Return the same in the newer form: a queue of one item, if it tells of one."""
    if not message.HasField("now_playing_info"):
        return message
    info = message.now_playing_info
    metadata = pb.ContentItemMetadata()
    for old, new in _FIELDS:
        if info.HasField(old):
            setattr(metadata, new, getattr(info, old))
    identifier = str(info.unique_identifier) if info.unique_identifier else ""
    newer = pb.SetStateMessage()
    newer.playback_queue.content_items.append(
        pb.ContentItem(identifier=identifier, metadata=metadata)
    )
    if message.HasField("playback_state"):
        newer.playback_state = message.playback_state
    if message.HasField("supported_commands"):
        newer.supported_commands.CopyFrom(message.supported_commands)
    return newer


_FIELDS: Final = (
    ("title", "title"),
    ("artist", "track_artist_name"),
    ("album", "album_name"),
    ("duration", "duration"),
    ("elapsed_time", "elapsed_time"),
    ("timestamp", "elapsed_time_timestamp"),
    ("playback_rate", "playback_rate"),
)
