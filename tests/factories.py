"""Minimal valid objects. What a test cares about, it passes; the rest is made up."""

import itertools

from django.contrib.auth.models import Group

from voicepipeline.events import log_event
from voicepipeline.models import Coach, EventType, Organization, PipelineEvent, Player, Team, User

_numbers = itertools.count(1)


def make_user(role=None, *, password=None, **fields):
    """Platform staff with this role, or with none; `is_platform_staff=False` makes a coach's kind of account."""
    fields.setdefault("username", f"person{next(_numbers)}")
    fields.setdefault("is_platform_staff", True)
    user = User.objects.create_user(password=password, **fields)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user


def make_club(**fields):
    number = next(_numbers)
    return Organization.objects.create(**{"name": f"Club {number}", "slug": f"club-{number}", **fields})


def make_team(**fields):
    club = fields.pop("organization", None) or make_club()
    return Team.objects.create(organization=club, **{"name": "Under 14", **fields})


def make_coach(**fields):
    club = fields.pop("organization", None) or make_club()
    return Coach.objects.create(organization=club, **{"first_name": "Niamh", "last_name": "Byrne", **fields})


def make_player(**fields):
    club = fields.pop("organization", None) or make_club()
    return Player.objects.create(organization=club, **{"first_name": "Caoimhe", "last_name": "Kelly", **fields})


def make_event(artifact=None, event_type=EventType.ARTIFACT_RECEIVED, **fields):
    log_event(event_type, artifact, **fields)
    return PipelineEvent.objects.latest("id")
