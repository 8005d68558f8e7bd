"""What a transcription endpoint takes: it judges a file by its extension and counts the form around it."""

ACCEPTED_EXTENSIONS = frozenset({"flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "ogg", "wav", "webm"})
# Other names for what is accepted.
SAME_AS = {"oga": "ogg", "opus": "ogg", "wave": "wav"}
# 25 MB, less room for the form around the file.
MAX_UPLOAD_BYTES = 26_214_400 - 64 * 1024


def upload_extension(extension: str) -> str | None:
    """The extension to send a file of this one under; None when it would be refused."""
    plain = extension.lower().removeprefix(".")
    plain = SAME_AS.get(plain, plain)
    return plain if plain in ACCEPTED_EXTENSIONS else None
