"""Recordings for a fleet: `python -m tests.faults.recordings 20 evening` receives twenty and prints their keys."""

import sys
from io import BytesIO

import django

SCRIPT = "Good session tonight, number {number} of {word}. Niamh Kelly was excellent and her first touch has improved."
CLUB = "outage"


def receive(count: int, word: str) -> list[int]:
    from voicepipeline.intake.receiving import receive_voice_note
    from voicepipeline.models import Artifact, SourceChannel
    from voicepipeline.simulator.audio import make_wav

    coach = sender()
    received = [
        receive_voice_note(
            source_channel=SourceChannel.APP_RECORDED,
            audio=BytesIO(make_wav(SCRIPT.format(number=number, word=word), 4)),
            filename="evening.wav",
            sender=coach,
            organization=coach.organization,
        )
        for number in range(count)
    ]
    return [Artifact.objects.get(artifact_id=each.artifact_id).pk for each in received]


def sender():
    from tests.factories import make_club, make_coach, make_player, make_team
    from voicepipeline.models import Coach

    known = Coach.objects.filter(organization__slug=CLUB).first()
    if known:
        return known
    club = make_club(name="St Brigid's", slug=CLUB)
    team = make_team(organization=club)
    make_player(organization=club, team=team, first_name="Niamh", last_name="Kelly")
    coach = make_coach(organization=club)
    coach.teams.add(team)
    return coach


if __name__ == "__main__":
    django.setup()
    for pk in receive(int(sys.argv[1]), sys.argv[2]):
        print(pk)  # noqa: T201 — what the test that called it reads
