"""What staff fill in when they decide about a problem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from retry import groups
from retry.groups import LONGEST_ASIDE, MAX_NOTE
from voicepipeline.models import User
from voicepipeline.operations.outcome import Outcome

CHOSEN = "chosen"
SPANS = {
    "hour": ("1 hour", timedelta(hours=1)),
    "day": ("1 day", timedelta(days=1)),
    "week": ("1 week", timedelta(weeks=1)),
}
TOO_LONG = f"That is too long: {MAX_NOTE} letters are the most."


class MomentInput(UnfoldAdminTextInputWidget):
    input_type = "datetime-local"

    def format_value(self, value: Any) -> Any:
        """As the browser's field takes it; in UTC, as everything else here."""
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value


def note_field(label: str, help_text: str, *, missing: str = "") -> forms.CharField:
    """One line, so that Enter sends it."""
    return forms.CharField(
        label=label,
        required=bool(missing),
        max_length=MAX_NOTE,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=help_text,
        error_messages={"required": missing, "max_length": TOO_LONG},
    )


class FixedForm(forms.Form):
    note = note_field(
        "What was done",
        "Kept with the problem, with your name.",
        missing="Say what was done about it: whoever sees it come back will want to know.",
    )


class AsideForm(forms.Form):
    span = forms.ChoiceField(
        label="For",
        choices=[*((key, words) for key, (words, _) in SPANS.items()), (CHOSEN, "Until the moment below")],
        widget=UnfoldAdminSelectWidget,
        error_messages={
            "required": "Choose for how long.",
            "invalid_choice": "Choose one of these lengths, or a moment.",
        },
    )
    until = forms.DateTimeField(
        label="Until (UTC)",
        required=False,
        widget=MomentInput,
        error_messages={"invalid": "Give the moment as a day and a time, such as 2026-03-31T18:00."},
    )
    note = note_field("Why", "If you like: whoever looks for it sees this, with your name.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        span, until = given.get("span"), given.get("until")
        if span in SPANS:
            given["until"] = timezone.now() + SPANS[span][1]
        elif span == CHOSEN and until is None and "until" not in self.errors:
            self.add_error("until", "Say until when, or choose one of the lengths.")
        elif span == CHOSEN and until is not None:
            self._check(until)
        return given

    def _check(self, until: datetime) -> None:
        now = timezone.now()
        if until <= now:
            self.add_error("until", "That moment is over: choose one that is still to come.")
        elif until > now + LONGEST_ASIDE:
            self.add_error("until", "Nothing is put aside for longer than a year.")


class ReopenForm(forms.Form):
    note = note_field("Why", "If you like: it is kept with your name.")


@dataclass(frozen=True)
class Deed:
    """Something to decide about a problem: its words, its form, and the operation that does it."""

    key: str
    title: str
    lead: str
    button: str
    icon: str
    form: type[forms.Form]
    operation: Callable[..., Outcome]
    # The states of a problem in which it is offered.
    offered: tuple[str, ...]

    def bound(self, data: Mapping[str, Any] | None = None) -> forms.Form:
        """Fields are told apart from those of the other forms on the page."""
        return self.form(data, auto_id=f"{self.key}-%s")

    def act(self, problem: str, by: User, given: Mapping[str, Any]) -> Outcome:
        values = {name: given[name] for name in ("note", "until") if name in given}
        return self.operation(problem, by=by, **values)


DEEDS = {
    deed.key: deed
    for deed in (
        Deed(
            key="fixed",
            title="Mark as fixed",
            lead="It leaves the list. Should it come back, it is open again and says so.",
            button="Mark as fixed",
            icon="task_alt",
            form=FixedForm,
            operation=groups.mark_fixed,
            offered=("open", "aside"),
        ),
        Deed(
            key="aside",
            title="Put aside",
            lead="It leaves the list until then, goes on being counted, and is open again by itself.",
            button="Put aside",
            icon="snooze",
            form=AsideForm,
            operation=groups.snooze,
            offered=("open", "aside"),
        ),
        Deed(
            key="open",
            title="Open again",
            lead="It is back in the list at once.",
            button="Open again",
            icon="undo",
            form=ReopenForm,
            operation=groups.reopen,
            offered=("aside", "fixed"),
        ),
    )
}
