"""Upload voice notes: recordings that reached the staff in another way, and what they type in for a coach."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from voicepipeline.access import verify_platform_staff
from voicepipeline.admin import placing
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.ai.uploads import ACCEPTED_EXTENSIONS, MAX_UPLOAD_BYTES, SAME_AS
from voicepipeline.intake.receiving import ADD_PERMISSION, MAX_TEXT, Received, Result, receive_voice_note
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import Coach, Organization, SourceChannel, VoiceNote
from voicepipeline.text import safe_text

MOST_COACHES = 5_000
MOST_SHOWN = 120
TYPED = "Typed note"
FILES = "files"


@dataclass(frozen=True)
class Item:
    """What became of one file, as the page tells it."""

    name: str
    result: str
    label: str
    message: str
    url: str = ""
    link: str = ""


LABELS = {Result.ACCEPTED: "Accepted", Result.DUPLICATE: "Already here", Result.REFUSED: "Refused"}


class UploadForm(forms.Form):
    club = forms.ModelChoiceField(
        Organization.objects.filter(is_active=True),
        required=False,
        empty_label="All clubs",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "This club is not there any more. Choose another one."},
    )
    coach = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget,
        help_text="Who speaks. Names in the voice note are matched with the players of this coach's teams.",
        error_messages={
            "required": "Choose the coach who sent this.",
            "invalid_choice": "This coach is not there any more. Choose another one.",
        },
    )
    text = forms.CharField(
        label="Or type a note",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "maxlength": MAX_TEXT}),
        help_text="As the coach said or wrote it. It becomes a voice note of its own.",
    )
    # Of this page: the same text sent twice from it is one note.
    page = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, eyes: Eyes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        coaches = Coach.objects.filter(is_active=True, organization__is_active=True)
        ordered = coaches.select_related("organization").order_by("organization__name", "last_name", "first_name", "pk")
        self.coaches = {str(coach.pk): coach for coach in ordered[:MOST_COACHES]}
        field: Any = self.fields["coach"]
        field.choices = [("", "Choose a coach"), *_by_club(self.coaches.values(), eyes)]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        coach, club = self.coaches.get(given.get("coach", "")), given.get("club")
        if coach and club and coach.organization_id != club.pk:
            self.add_error("coach", f"{coach} is not a coach of {club}. Choose one of its coaches, or another club.")
        if not self.files.getlist(FILES) and not given.get("text", "").strip():
            self.add_error(None, "Choose at least one recording, or type a note.")
        return {**given, "coach": coach}


def _by_club(coaches: Iterable[Coach], eyes: Eyes) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = groupby(coaches, key=lambda coach: coach.organization)
    return [(str(club), [(str(coach.pk), _named(coach, eyes)) for coach in members]) for club, members in groups]


def _named(coach: Coach, eyes: Eyes) -> str:
    return f"{coach}, {eyes.phone(coach.phone)}" if coach.phone else str(coach)


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """The form, and what became of each file; the page's script sends one file a request and is answered in JSON."""
    verify_platform_staff(request.user, ADD_PERMISSION)
    sent = request.method == "POST"
    by_script = request.headers.get("Accept", "").startswith("application/json")
    eyes = eyes_of(request.user)
    form = _form(eyes) if not sent else UploadForm(request.POST, request.FILES, eyes=eyes)
    items: list[Item] = []
    if sent and form.is_valid():
        items = _take(request, form)
        form = _form(eyes, **{key: request.POST.get(key) for key in ("club", "coach")})
    elif sent and by_script:
        reason = next(iter(form.errors.values()))[0]
        return JsonResponse({"items": [asdict(_item("", Received(Result.REFUSED, None, "form", str(reason))))]})
    if by_script:
        return JsonResponse({"items": [asdict(item) for item in items]})
    return TemplateResponse(request, "voicepipeline/upload.html", {**_surroundings(request, form), "items": items})


def _form(eyes: Eyes, **initial: Any) -> UploadForm:
    return UploadForm(initial={"page": uuid.uuid4(), **initial}, eyes=eyes)


def _surroundings(request: HttpRequest, form: UploadForm) -> dict[str, Any]:
    accepted = sorted({*ACCEPTED_EXTENSIONS, *SAME_AS})
    return {
        **admin.site.each_context(request),
        "title": "Upload voice notes",
        "form": form,
        "no_coach": not form.coaches,
        "no_club": not form.coaches and not Organization.objects.filter(is_active=True).exists(),
        "accept": ",".join(["audio/*", *(f".{extension}" for extension in accepted)]),
        "most_bytes": MAX_UPLOAD_BYTES,
        "most_megabytes": MAX_UPLOAD_BYTES // 1_048_576,
        "most_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }


def _take(request: HttpRequest, form: UploadForm) -> list[Item]:
    """Receive every file and the text, each for itself; this view runs in no transaction, for each makes its own."""
    given: Any = {
        "source_channel": SourceChannel.ADMIN_UPLOAD,
        "sender": form.cleaned_data["coach"],
        "organization": form.cleaned_data["coach"].organization,
        "by": request.user,
    }
    items = []
    arrived: list[Any] = request.FILES.getlist(FILES)
    for file in arrived:
        name = safe_text(file.name or "", MOST_SHOWN)
        items.append(_item(name, receive_voice_note(audio=file, filename=file.name or "", **given)))
    text = form.cleaned_data["text"]
    if text.strip():
        message_id = _message_id(form)
        items.append(_item(TYPED, receive_voice_note(audio=None, text=text, channel_message_id=message_id, **given)))
    return items


def _message_id(form: UploadForm) -> str:
    """The same for the same text of the same coach from the same page, so that pressing twice makes one note."""
    data = form.cleaned_data
    if data["page"] is None:
        return ""
    content = f"{data['coach'].pk}/{data['text']}".encode()
    return f"upload-{data['page'].hex}-{hashlib.sha256(content).hexdigest()[:16]}"


def _item(name: str, received: Received) -> Item:
    label, note = LABELS[received.result], received.artifact_id
    if note is None:
        return Item(name, received.result, label, received.message)
    url = reverse("admin:voicepipeline_artifact_change", args=[note])
    message = "" if received.result is Result.ACCEPTED else "It was received before, so nothing was added."
    return Item(name, received.result, label, message, url, f"Voice note {str(note)[:8]}")


@admin.register(VoiceNote)
class RecordingAdmin(HistoryAdmin):
    """Recordings are added here; they are seen and heard on the page of their voice note."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("add/", wrap(upload), name="voicepipeline_voicenote_add"),
            # Not below the list of voice notes: the sidebar would show both as the page that is open.
            path("to-sort-out/", wrap(placing.page), name="voicepipeline_artifact_placing"),
        ]
