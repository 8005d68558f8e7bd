"""Voice notes that wait for a person to say whose they are, or to listen: where they are, and what is done then."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from voicepipeline.access import verify_platform_staff
from voicepipeline.admin.lists import MOST_COUNTED
from voicepipeline.admin.note_actions import NoteAction, NoteForm
from voicepipeline.admin.note_filters import HOME, HOMES, list_of_home, notes_of_home
from voicepipeline.explanations import Situation
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, Coach, Organization
from voicepipeline.operations import placing

MOST_COACHES = 5_000
# Who seeks one of so many types a part of the name.
MANY = 10
CHANGED_LIST = "It is on the list no more. Choose another one."


class SeenField(forms.IntegerField):
    """What the note had when the page was opened: who answers after somebody else is told."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)


class ClubForm(NoteForm):
    scripts = ("voicepipeline/placing.js",)
    club = forms.ModelChoiceField(
        Organization.objects.none(),
        empty_label="Choose a club",
        widget=UnfoldAdminSelectWidget(attrs={"data-many": MANY}),
        error_messages={"required": "Choose the club whose voice note it is.", "invalid_choice": CHANGED_LIST},
    )
    seen = SeenField()

    def __init__(self, artifact: Artifact, eyes: Eyes, data: Any = None) -> None:
        super().__init__(artifact, eyes, data)
        field: Any = self.fields["club"]
        field.queryset = Organization.objects.filter(is_active=True).exclude(pk=artifact.organization_id or 0)
        self.fields["seen"].initial = artifact.organization_id

    def facts(self) -> list[tuple[str, str]]:
        return [("Club now", str(self.artifact.organization or "None")), *_sender(self.artifact, self.eyes)]


class CoachForm(NoteForm):
    scripts = ("voicepipeline/placing.js",)
    coach = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget(attrs={"data-many": MANY}),
        error_messages={"required": "Choose the coach who sent it.", "invalid_choice": CHANGED_LIST},
    )
    seen = SeenField()

    def __init__(self, artifact: Artifact, eyes: Eyes, data: Any = None) -> None:
        super().__init__(artifact, eyes, data)
        coaches = Coach.objects.filter(is_active=True, organization__is_active=True).exclude(pk=artifact.sender_id or 0)
        if artifact.organization_id is not None:
            coaches = coaches.filter(organization=artifact.organization_id)
        ordered = coaches.select_related("organization").order_by("organization__name", "last_name", "first_name", "pk")
        self.coaches = {str(coach.pk): coach for coach in ordered[:MOST_COACHES]}
        field: Any = self.fields["coach"]
        field.choices = [("", "Choose a coach"), *_by_club(self.coaches.values(), eyes)]
        self.fields["seen"].initial = artifact.sender_id

    def facts(self) -> list[tuple[str, str]]:
        return [("Club", str(self.artifact.organization or "None")), *_sender(self.artifact, self.eyes)]

    def arguments(self) -> dict[str, Any]:
        return {**self.cleaned_data, "coach": self.coaches[self.cleaned_data["coach"]]}


def _sender(artifact: Artifact, eyes: Eyes) -> list[tuple[str, str]]:
    address = artifact.voice_note.sender_address if artifact.voice_note else ""
    known = [("Coach now", str(artifact.sender))] if artifact.sender else []
    return [*known, *([("Sent from", eyes.phone(address))] if address else [])]


def _by_club(coaches: Iterable[Coach], eyes: Eyes) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = groupby(coaches, key=lambda coach: coach.organization)
    return [(str(club), [(str(coach.pk), _named(coach, eyes)) for coach in members]) for club, members in groups]


def _named(coach: Coach, eyes: Eyes) -> str:
    return f"{coach}, {eyes.phone(coach.phone)}" if coach.phone else str(coach)


class ReviewForm(NoteForm):
    """For whom nothing is to be filled in, but something to be heard first."""

    def facts(self) -> list[tuple[str, str]]:
        audio = self.artifact.voice_note and self.artifact.voice_note.audio
        if not audio:
            return []
        url = reverse("admin:voicepipeline_artifact_audio", args=[self.artifact.artifact_id])
        return [("Recording", format_html('<a class="vp-link" href="{}">Listen to it</a>', url))]


CLUB_CONSEQUENCES = (
    "Its names are matched with the roster of this club, and its open entries are made again.",
    "What people have answered about its names counts no more: they answered from another roster, or from none.",
    "Your name stays with it.",
)
COACH_CONSEQUENCES = (
    "Its names are matched again, with the teams of this coach first and with what they call people.",
    "Its open entries are made again. Where this coach is trusted, harmless ones are confirmed automatically.",
    "A voice note without a club becomes one of this coach's club. Your name stays with it.",
)
REVIEW_CONSEQUENCES = (
    "It leaves the list of voice notes to be reviewed, or of those without speech.",
    "Nothing else changes: what was made of it stays, and so does what was not.",
    "Your name stays with it. If it is transcribed anew, somebody has to listen again.",
)
PLACE = placing.PERMISSION


def _needs_no_club(situation: Situation) -> str:
    return "It has a club already." if situation.has_club else ""


def _has_no_club(situation: Situation) -> str:
    return "" if situation.has_club else "It has no club yet."


def _needs_no_coach(situation: Situation) -> str:
    return "It has a coach already." if situation.has_coach else ""


def _has_no_coach(situation: Situation) -> str:
    return "" if situation.has_coach else "It has no coach yet."


def _nothing_to_review(situation: Situation) -> str:
    return "" if situation.to_review else "Nobody has to listen to it, or somebody has already."


def _placing(key: str, title: str, icon: str, refusal: Callable[[Situation], str], **more: Any) -> NoteAction:
    return NoteAction(key=key, title=title, button=title, icon=icon, permission=PLACE, refusal=refusal, **more)


_club: dict[str, Any] = {"consequences": CLUB_CONSEQUENCES, "operation": placing.assign_club, "form": ClubForm}
_coach: dict[str, Any] = {"consequences": COACH_CONSEQUENCES, "operation": placing.attach_coach, "form": CoachForm}
ASSIGN_CLUB = _placing("assign-club", "Assign a club", "shield", _needs_no_club, **_club)
CHANGE_CLUB = _placing("change-club", "Change the club", "shield", _has_no_club, in_place=True, **_club)
ATTACH_COACH = _placing("attach-coach", "Attach a coach", "sports", _needs_no_coach, **_coach)
CHANGE_COACH = _placing("change-coach", "Change the coach", "sports", _has_no_coach, in_place=True, **_coach)
MARK_REVIEWED = _placing(
    "reviewed",
    "Mark as listened to",
    "hearing",
    _nothing_to_review,
    consequences=REVIEW_CONSEQUENCES,
    operation=placing.mark_reviewed,
    form=ReviewForm,
    reads=True,
)
ACTIONS = (ASSIGN_CLUB, ATTACH_COACH, MARK_REVIEWED, CHANGE_CLUB, CHANGE_COACH)


# --- The way from the lists -------------------------------------------------------------------------------------------
DEEDS = {"club": ASSIGN_CLUB, "coach": ATTACH_COACH, "review": MARK_REVIEWED, "no_speech": MARK_REVIEWED}


def column_for(request: HttpRequest) -> list[Any]:
    """A last column that leads to what the notes of this list wait for, for those who may do it."""
    key = request.GET.get(HOME, "")
    action = DEEDS.get(key)
    if action is None or not action.may(request.user):
        return []

    @display(description="What to do")
    def to_do(artifact: Artifact) -> str:
        url = reverse("admin:voicepipeline_artifact_action", args=[artifact.artifact_id, action.key])
        return format_html(
            '<a class="text-link" href="{}?{}={}">{}<span class="vp-sr"> {}</span></a>',
            url,
            HOME,
            key,
            action.title,
            str(artifact.artifact_id)[:8],
        )

    return [to_do]


@dataclass(frozen=True)
class Row:
    """Notes that wait for one thing, as the page tells of them."""

    key: str
    title: str
    count: str
    why: str
    action: NoteAction
    url: str
    may: bool


WHY = {
    "club": "We do not know whose they are, so there is no roster to look names up in. Say whose they are.",
    "coach": "We do not know who speaks. Say who it is, and names are matched with that coach's teams first.",
    "review": "Their transcripts may be wrong. Somebody should listen, and say that they have.",
    "no_speech": "Nobody seems to say anything in them, so nothing was made of them. Listen if you doubt that.",
}


def page(request: HttpRequest) -> HttpResponse:
    """The notes that wait, by what they wait for."""
    verify_platform_staff(request.user, "voicepipeline.view_artifact")
    context = {
        **admin.site.each_context(request),
        "title": "Notes to sort out",
        "homes": [_row(key, request.user) for key in DEEDS],
        "names_url": reverse("admin:voicepipeline_entityresolution_changelist"),
    }
    return TemplateResponse(request, "voicepipeline/placing.html", context)


def _row(key: str, user: Any) -> Row:
    found = notes_of_home(key, Artifact.objects.all()).order_by().values("pk")[: MOST_COUNTED + 1].count()
    count = f"more than {MOST_COUNTED:,}" if found > MOST_COUNTED else f"{found:,}"
    action = DEEDS[key]
    return Row(key, HOMES[key].label, count, WHY[key], action, list_of_home(key), action.may(user))
