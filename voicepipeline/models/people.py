"""The people: who works here, and whom the notes are about."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class PlatformUserManager(UserManager["User"]):
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> "User":
        extra_fields.setdefault("is_platform_staff", True)
        return super().create_superuser(username, email, password, **extra_fields)


class User(AbstractUser):
    """A person with an account; only platform staff enter the back office."""

    is_platform_staff = models.BooleanField(
        "platform staff", default=False, help_text="May sign in to this back office. Roles decide what they may do."
    )

    objects: ClassVar[PlatformUserManager] = PlatformUserManager()


class Organization(models.Model):
    """A club: the unit that rosters, notes and figures belong to."""

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "club"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A team of a club."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="teams")
    name = models.CharField(max_length=120)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ("organization", "name")
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="team_name_once_a_club")]

    def __str__(self) -> str:
        return self.name


class Coach(models.Model):
    """Somebody who sends voice notes; known by the phone they send from."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="coaches")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="In international form, such as +353…")
    teams = models.ManyToManyField(Team, blank=True, related_name="coaches")
    is_active = models.BooleanField("active", default=True)

    class Meta:
        verbose_name_plural = "coaches"
        ordering = ("last_name", "first_name")
        constraints = [
            models.UniqueConstraint(fields=["phone"], condition=~models.Q(phone=""), name="coach_phone_once"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Player(models.Model):
    """Somebody on a club's roster, whom notes speak of."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="players")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="players")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ("last_name", "first_name")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
