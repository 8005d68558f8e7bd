"""Importing this module registers every admin page of this app, and takes away those of libraries."""

from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401  registers Group
from django.contrib.auth.models import Group
from django_q import admin as queue_admin  # noqa: F401  registers its four
from django_q.models import Failure, OrmQ, Schedule, Success

from voicepipeline.admin import users  # noqa: F401

# Roles are code. The queue's own pages can run any function by its dotted name and delete the record of a failure.
for model in (Group, Schedule, Success, Failure, OrmQ):
    admin.site.unregister(model)
