"""What staff fill in when they decide about entries."""

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from voicepipeline.models import Sentiment, Severity, Topic
from voicepipeline.operations.entry_decisions import MAX_REASON

LINE, TEXT = 200, 3_000


class NothingToFillIn(forms.Form):
    """For what needs no more than a press."""


class ReasonForm(forms.Form):
    # One line, so that Enter sends it.
    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text="Kept with the entry, with your name.",
        error_messages={"required": "Say why: the reason is kept with the entry."},
    )


class OptionalReasonForm(ReasonForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["reason"].required = False
        self.fields["reason"].help_text = "If you like: whoever comes to it next sees this, with your name."


class EditForm(forms.Form):
    """What may be changed of an entry; its quote and whom it is for may not."""

    title = forms.CharField(
        label="Title",
        max_length=LINE,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        error_messages={"required": "Say in a few words what is to be kept."},
    )
    description = forms.CharField(
        label="Description",
        max_length=TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        error_messages={"required": "Say what is to be kept."},
    )
    recommended_action = forms.CharField(
        label="To do", max_length=TEXT, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    time_reference = forms.CharField(label="When", max_length=LINE, required=False, widget=UnfoldAdminTextInputWidget())
    topic = forms.ChoiceField(label="Category", choices=Topic.choices, widget=UnfoldAdminSelectWidget)
    severity = forms.ChoiceField(
        label="Severity",
        choices=[("", "None"), *Severity.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Of an injury, or of what bears on somebody's wellbeing.",
    )
    sentiment = forms.ChoiceField(
        label="Mood", choices=[("", "None"), *Sentiment.choices], required=False, widget=UnfoldAdminSelectWidget
    )
    skill_name = forms.CharField(label="Skill", max_length=LINE, required=False, widget=UnfoldAdminTextInputWidget())
    skill_rating = forms.TypedChoiceField(
        label="Rating",
        choices=[("", "None"), *((number, f"{number} of 5") for number in range(1, 6))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
