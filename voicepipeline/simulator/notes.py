"""What a coach might have said, for audio that carries no script of its own."""

import hashlib

NOTES = (
    "Good session tonight with the under fourteens. Niamh Kelly was excellent, her first touch has really improved "
    "since last month. Aoife picked up a knock on her left ankle and had to come off, she should rest until Thursday.",
    "Quick one after the match. Cian Murphy missed two tackles early on but his work rate never dropped. "
    "The backs were far too deep all evening. We need to work on the kick-out next Tuesday.",
    "Conor was absent again, that is three sessions in a row. I must ring his mother about it before the weekend.",
    "Saoirse seemed very down in herself today and did not want to talk to anyone. I am a bit worried about her.",
    "Great energy from everyone. Fiachra Byrne scored four out of five on the passing drill, up from three last week. "
    "Tomasz was the best of the forwards by a distance.",
    "Eoin is back running after the hamstring strain and felt no pain. He can do light training this week.",
    "Róisín O'Brien stepped up as captain and kept the group together when we went two goals down. "
    "The attitude in the whole squad was brilliant.",
    "Spoke to Dara's father after training, he is happy with how things are going. "
    "Dara himself has grown a lot and is much stronger in the tackle.",
    "The under twelves were flat tonight. Luka was messing during the warm-up and I had to sit him out. "
    "For the next session I want small-sided games and more shooting.",
    "Oisín Walsh made his first senior start and did really well. He needs to keep his head up when he is on the ball.",
    "Chiara was dizzy after the collision with Ellie and we took her off straight away, possible concussion. "
    "She is not to play until the doctor has seen her.",
    "Nothing much to report. Numbers were good, eighteen at training, and everybody got through the fitness test.",
)

# What transcription models are known to make of silence.
HEARD_IN_SILENCE = (
    "Thank you for watching!",
    "Please subscribe to my channel.",
    "Subtitles by the community.",
)


def note_for(audio: bytes) -> str:
    """Always the same note for the same bytes."""
    return NOTES[hashlib.sha256(audio).digest()[0] % len(NOTES)]


def invention_for(audio: bytes) -> str:
    return HEARD_IN_SILENCE[hashlib.sha256(audio).digest()[1] % len(HEARD_IN_SILENCE)]
