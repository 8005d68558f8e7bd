"""Imported once by the process from which those that crash are forked: Django ready, no connection open."""

import django

django.setup()
