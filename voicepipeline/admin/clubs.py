"""Clubs and their people: what notes are about and who sends them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from voicepipeline.admin.lists import ClubFilter, ListAdmin
from voicepipeline.admin.privacy import PrivateNames
from voicepipeline.admin.roster_clubs import ClubPages
from voicepipeline.admin.roster_players import PlayerPages, StandingFilter
from voicepipeline.masking import Eyes, eyes_of, initials
from voicepipeline.models import Coach, Organization, Player, Team
from voicepipeline.policies.languages import CODES

# Clubs here speak these above all; they are offered first.
OFTEN = ("en", "ga", "pl", "lt", "pt", "fr", "es", "de", "it", "uk", "ro", "lv", "ar", "hi", "zh")
NO_ISO_CODE = frozenset({"jw"})


def _language_names() -> dict[str, str]:
    """What each language with a code of two letters is called: of all its names the first that is no code."""
    names: dict[str, str] = {}
    for name, code in CODES.items():
        if len(code) == 2 and code not in NO_ISO_CODE and len(names.get(code, "")) <= 3:
            names[code] = name.title()
    return names


def _languages() -> list[tuple[str, list[tuple[str, str]]]]:
    names = _language_names()
    others = sorted((name, code) for code, name in names.items() if code not in OFTEN)
    return [
        ("Often spoken", [(code, names[code]) for code in OFTEN]),
        ("Others", [(code, name) for name, code in others]),
    ]


LANGUAGES = _languages()


class LanguagesWidget(UnfoldAdminSelect2MultipleWidget):
    class Media:
        js = ("voicepipeline/languages.js",)


class LanguagesField(forms.MultipleChoiceField):
    """Languages by their names: a code that nobody knows would make the provider refuse every note of the club."""

    widget = LanguagesWidget
    default_error_messages = {"invalid_choice": "Choose languages from the list."}

    def __init__(self, **kwargs: Any) -> None:
        help_text = "What its coaches speak. Empty: any language."
        super().__init__(choices=LANGUAGES, required=False, label="Languages", help_text=help_text, **kwargs)


class TeamChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Teams with their clubs: every club has an under-14."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.organization}: {obj.name}"


class TeamChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.organization}: {obj.name}"


class RosterAdmin(ListAdmin):
    """People and groups are switched off, never deleted: the history names them."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Team:
            kwargs |= {"form_class": TeamChoice, "queryset": Team.objects.select_related("organization")}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Team:
            kwargs |= {"form_class": TeamChoices, "queryset": Team.objects.select_related("organization")}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnTeamsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Coaches and players belong to teams of their own club."""

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        club, field = told.get("organization"), "teams" if "teams" in told else "team"
        given = told.get(field)
        for team in [given] if isinstance(given, Team) else given or ():
            if club is not None and team.organization_id != club.pk:
                words = f"{team.name} is a team of {team.organization}, not of {club}. Choose teams of the same club."
                self.add_error(field, words)
        return told


@admin.register(Organization)
class OrganizationAdmin(ClubPages, RosterAdmin):
    list_display = ("name", "slug", "names_unclear", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith", "slug__startswith")
    search_help_text = "Beginning of the name"
    prepopulated_fields = {"slug": ("name",)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "languages":
            return LanguagesField()
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Team)
class TeamAdmin(RosterAdmin):
    list_display = ("name", "organization", "is_active")
    list_filter = (ClubFilter, "is_active")
    list_select_related = ("organization",)
    search_fields = ("name__istartswith",)
    search_help_text = "Beginning of the name"


@admin.register(Coach)
class CoachAdmin(RosterAdmin):
    form = OwnTeamsForm
    list_display = ("full_name", "organization", "phone", "is_active")
    list_filter = (ClubFilter, "is_active")
    list_select_related = ("organization",)
    search_fields = ("last_name__istartswith", "first_name__istartswith", "phone__startswith")
    search_help_text = "Beginning of a name or phone number"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """How far a coach is trusted decides what nobody looks at: that is not everybody's to say."""
        given = super().get_readonly_fields(request, obj)
        if obj is not None and not eyes_of(request.user).read:
            given = (*given, "short_phone")
        allowed = request.user.has_perm("voicepipeline.trust_coach")
        return given if allowed else (*given, "trust_level", "confirmation_threshold")

    def get_list_display(self, request: HttpRequest) -> Any:
        return _with_short_phone(super().get_list_display(request), eyes_of(request.user))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new coach's number is whatever is typed in; that of one who is there is theirs."""
        given = super().get_fields(request, obj)
        return given if obj is None else _with_short_phone(given, eyes_of(request.user))

    def get_search_fields(self, request: HttpRequest) -> Any:
        given = super().get_search_fields(request)
        return given if eyes_of(request.user).read else [each for each in given if not each.startswith("phone")]

    @display(description="Name", ordering="last_name")
    def full_name(self, coach: Coach) -> str:
        return str(coach)

    @display(description="Phone")
    def short_phone(self, coach: Coach) -> str:
        return Eyes(read=False).phone(coach.phone)


def _with_short_phone(columns: Any, eyes: Eyes) -> Any:
    """The end of a phone number in place of all of it, for those who may not read."""
    if eyes.read:
        return columns
    return ["short_phone" if each == "phone" else each for each in columns if each != "short_phone"]


@admin.register(Player)
class PlayerAdmin(PlayerPages, PrivateNames, RosterAdmin):
    masked = {"full_name": "short_name"}
    form = OwnTeamsForm
    fields = ("organization", "team", "first_name", "last_name", "external_id", "is_active")
    list_display = ("full_name", "organization", "team", "standing")
    list_filter = (ClubFilter, StandingFilter)
    list_select_related = ("organization", "team")
    search_fields = ("last_name__istartswith", "first_name__istartswith")
    search_help_text = "Beginning of a name"

    @display(description="Name", ordering="last_name")
    def full_name(self, player: Player) -> str:
        return str(player)

    @display(description="Name")
    def short_name(self, player: Player) -> str:
        return initials(str(player))
