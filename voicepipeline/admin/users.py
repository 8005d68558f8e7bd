"""The people who may sign in. Roles are the three groups; accounts are switched off, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from voicepipeline import roles
from voicepipeline.models import User

LABELS = {
    "username": "User name",
    "email": "E-mail",
    "is_active": "Active",
    "is_platform_staff": "Platform staff",
    "is_superuser": "Full access",
    "last_login": "Last sign-in",
    "date_joined": "Account since",
}
HELP = {
    "username": "Letters, digits and @ . + - _",
    "is_active": "Switch this off when somebody leaves. Accounts are never deleted: the history names them.",
    "is_platform_staff": "May sign in to this back office.",
    "is_superuser": "Everything, whatever the role. For the people who run this installation.",
}


class RoleField(forms.ModelChoiceField):  # type: ignore[type-arg]
    widget = UnfoldAdminSelectWidget

    def __init__(self) -> None:
        super().__init__(
            queryset=Group.objects.filter(name__in=roles.ROLES).order_by("id"),
            required=False,
            empty_label="No role: may sign in, but sees no page",
        )

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}: {roles.SUMMARIES[obj.name]}"


class ReadsContentField(forms.BooleanField):
    widget = UnfoldBooleanSwitchWidget

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label="May read what voice notes say",
            help_text=(
                "And hear recordings, and see players' full names and phone numbers. Without it they are hidden, "
                "whatever the role. What somebody reads is recorded."
            ),
        )


class SavesRole:
    """The form's part in keeping a user in the group of one role, and in that of those who may read."""

    cleaned_data: dict[str, Any]
    instance: User

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        if "role" in self.cleaned_data:
            roles.assign(self.instance, self.cleaned_data["role"])
        if "reads_content" in self.cleaned_data:
            roles.let_read_content(self.instance, self.cleaned_data["reads_content"])


class ChangeForm(SavesRole, UserChangeForm):
    role = RoleField()
    reads_content = ReadsContentField()

    class Meta(UserChangeForm.Meta):
        labels = LABELS
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.initial["role"] = Group.objects.filter(name=roles.role_of(self.instance)).first()
        if "reads_content" in self.fields:
            self.initial["reads_content"] = roles.reads_content(self.instance)


class AddForm(SavesRole, UserCreationForm):
    role = RoleField()
    reads_content = ReadsContentField()

    class Meta(UserCreationForm.Meta):
        labels = LABELS
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whom an administrator adds here is a colleague; coaches get their accounts elsewhere.
        self.initial.setdefault("is_platform_staff", True)


class RoleFilter(admin.SimpleListFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((role, role) for role in roles.ROLES), ("none", "No role")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        value = self.value()
        if value == "none":
            return queryset.exclude(groups__name__in=roles.ROLES)
        return queryset.filter(groups__name=value) if value in roles.ROLES else queryset


class ReadsContentFilter(admin.SimpleListFilter):
    title = "reads content"
    parameter_name = "reads"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        readers = Q(is_superuser=True) | Q(pk__in=User.objects.filter(groups__name=roles.CONTENT_READER).values("pk"))
        match self.value():
            case "yes":
                return queryset.filter(readers)
            case "no":
                return queryset.exclude(readers)
        return queryset


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = ChangeForm
    add_form = AddForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    list_display = ("person", "role_label", "reads_content", "is_platform_staff", "is_active", "seen")
    list_filter = (RoleFilter, ReadsContentFilter, "is_platform_staff", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Name, user name or e-mail"
    list_per_page = 50
    add_fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_platform_staff", "role", "reads_content")}),
        ("Password", {"fields": ("password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    # --- Who may do what -------------------------------------------------------------------------------------------
    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        shown = ("last_login", "date_joined", "password_link")
        if obj is not None and obj.pk == request.user.pk:
            # Nobody locks themselves out, or raises themselves.
            return (*shown, "is_active", "is_platform_staff", "role", "reads_content", "is_superuser")
        return shown

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        person = ["username", "first_name", "last_name", "email"]
        access = ["is_active", "is_platform_staff", "role", "reads_content"]
        if request.user.is_superuser:
            access.append("is_superuser")
        if self.has_change_permission(request, obj):
            person.append("password_link")
        own = obj.pk == request.user.pk
        return (
            (None, {"fields": person}),
            ("Access", {"fields": access, "description": "Another administrator can change these." if own else None}),
            ("Activity", {"fields": ("last_login", "date_joined")}),
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set a colleague's password; one's own takes the page that asks for the present one."""
        if id == str(request.user.pk):
            return redirect("admin:password_change")
        return super().user_change_password(request, id, form_url)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Back to the list: the add form has asked for everything, so there is no second page to fill in."""
        return ModelAdmin.response_add(self, request, obj, post_url_continue)  # type: ignore[no-any-return]

    # --- What the pages show ---------------------------------------------------------------------------------------
    @display(description="Name", ordering="username", header=True)
    def person(self, user: User) -> tuple[str, str]:
        return user.get_full_name() or user.username, user.username if user.get_full_name() else user.email

    @display(
        description="Role",
        label={"Full access": "primary", roles.ADMINISTRATOR: "primary", roles.OPERATOR: "info"},
    )
    def role_label(self, user: User) -> str:
        return "Full access" if user.is_superuser else roles.role_of(user) or "No role"

    @display(description="Last sign-in", ordering="last_login", empty_value="Never")
    def seen(self, user: User) -> Any:
        return user.last_login

    @display(description="Role")
    def role(self, user: User) -> str:
        return roles.role_of(user) or "No role"

    @display(description="Reads content", boolean=True)
    def reads_content(self, user: User) -> bool:
        return user.is_superuser or roles.reads_content(user)

    @display(description="Password")
    def password_link(self, user: User) -> str:
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a class="text-link" href="{}">Set a new password</a>', url)
