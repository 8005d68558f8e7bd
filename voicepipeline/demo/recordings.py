"""What the coaches of the demo send: small real files with the script inside, and what channels they come by."""

from dataclasses import dataclass
from random import Random

from voicepipeline.demo.scripts import spoken_seconds
from voicepipeline.models import SourceChannel
from voicepipeline.simulator.audio import make_ogg, make_wav

TYPED = (SourceChannel.APP_TYPED, SourceChannel.WHATSAPP_TEXT)
SPOKEN = (
    SourceChannel.APP_RECORDED,
    SourceChannel.APP_RECORDED,
    SourceChannel.WHATSAPP_AUDIO,
    SourceChannel.WHATSAPP_AUDIO,
    SourceChannel.WHATSAPP_AUDIO,
    SourceChannel.VOICEMAIL,
)
TYPED_SHARE = 0.22
# Beeps that can be heard take 8 kB a second; an Ogg file of the same length is silent and a fortieth of that.
LONGEST_WAV_SECONDS = 14.0


@dataclass(frozen=True)
class Recording:
    content: bytes
    extension: str
    mime_type: str
    seconds: float


def choose_channel(choose: Random, *, may_be_typed: bool = True) -> SourceChannel:
    typed = may_be_typed and choose.random() < TYPED_SHARE
    return choose.choice(TYPED if typed else SPOKEN)


def record(choose: Random, script: str, *, wav_share: float) -> Recording:
    """This script as a file; a share of the short ones as WAV, so that there is something to listen to."""
    seconds = spoken_seconds(script) + (round(choose.uniform(1, 6), 1) if len(script.split()) < 6 else 0.0)
    if seconds <= LONGEST_WAV_SECONDS and choose.random() < wav_share:
        return Recording(make_wav(script, seconds, audible=bool(script)), "wav", "audio/wav", seconds)
    return Recording(make_ogg(script, seconds), "ogg", "audio/ogg", seconds)
