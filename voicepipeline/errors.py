class VoicePipelineError(Exception):
    """The base of this app's own exceptions."""


class InvalidEvent(VoicePipelineError):
    """An event that could never be right: a fault in our code, not in the data."""


class InvalidTransition(VoicePipelineError):
    """What was asked for does not fit the state that things are in; the message says what does."""
