"""Clubs and their people: what notes are about and who sends them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from voicepipeline.admin.lists import ClubFilter, ListAdmin
from voicepipeline.models import Coach, Organization, Player, Team


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


@admin.register(Organization)
class OrganizationAdmin(RosterAdmin):
    list_display = ("name", "slug", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name__istartswith", "slug__startswith")
    search_help_text = "Beginning of the name"
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Team)
class TeamAdmin(RosterAdmin):
    list_display = ("name", "organization", "is_active")
    list_filter = (ClubFilter, "is_active")
    list_select_related = ("organization",)
    search_fields = ("name__istartswith",)
    search_help_text = "Beginning of the name"


@admin.register(Coach)
class CoachAdmin(RosterAdmin):
    list_display = ("full_name", "organization", "phone", "is_active")
    list_filter = (ClubFilter, "is_active")
    list_select_related = ("organization",)
    search_fields = ("last_name__istartswith", "first_name__istartswith", "phone__startswith")
    search_help_text = "Beginning of a name or phone number"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """How far a coach is trusted decides what nobody looks at: that is not everybody's to say."""
        given = super().get_readonly_fields(request, obj)
        allowed = request.user.has_perm("voicepipeline.trust_coach")
        return given if allowed else (*given, "trust_level", "confirmation_threshold")

    @display(description="Name", ordering="last_name")
    def full_name(self, coach: Coach) -> str:
        return str(coach)


@admin.register(Player)
class PlayerAdmin(RosterAdmin):
    list_display = ("full_name", "organization", "team", "is_active")
    list_filter = (ClubFilter, "is_active")
    list_select_related = ("organization", "team")
    search_fields = ("last_name__istartswith", "first_name__istartswith")
    search_help_text = "Beginning of a name"

    @display(description="Name", ordering="last_name")
    def full_name(self, player: Player) -> str:
        return str(player)
