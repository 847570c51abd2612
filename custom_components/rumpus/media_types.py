"""The kinds of files that can be played, by their names.

There is no other list than this one: what a browser would run, such as HTML or SVG, is not in it.
"""

from typing import Final

_TYPES: Final = {
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/mp4": "m4a m4b",
    "audio/mpeg": "mp3",
    "audio/ogg": "oga ogg opus",
    "audio/wav": "wav",
    "audio/x-aiff": "aif aiff",
    "audio/x-ms-wma": "wma",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jpeg": "jpeg jpg",
    "image/png": "png",
    "image/tiff": "tif tiff",
    "image/webp": "webp",
    "image/x-adobe-dng": "dng",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/mp2t": "mts ts",
    "video/mp4": "m4v mp4",
    "video/mpeg": "mpeg mpg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-ms-wmv": "wmv",
    "video/x-msvideo": "avi",
}
_BY_SUFFIX: Final = {
    suffix: mime_type
    for mime_type, suffixes in _TYPES.items()
    for suffix in suffixes.split()
}


def media_type(name: str) -> str | None:
    """Return the MIME type of a file that can be played, None for any other."""
    stem, _, suffix = name.rpartition(".")
    return _BY_SUFFIX.get(suffix.lower()) if stem else None
