"""Minimal valid objects. What a test cares about, it passes; the rest is made up."""

import itertools

from django.contrib.auth.models import Group

from voicepipeline.models import User

_numbers = itertools.count(1)


def make_user(role=None, *, password=None, **fields):
    """Platform staff with this role, or with none; `is_platform_staff=False` makes a coach's kind of account."""
    fields.setdefault("username", f"person{next(_numbers)}")
    fields.setdefault("is_platform_staff", True)
    user = User.objects.create_user(password=password, **fields)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user
