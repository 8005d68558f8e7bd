"""Importing this module registers every admin page of retries."""

from retry.admin import attempts, bulk, note_panel, notes, problems  # noqa: F401

note_panel.register()
