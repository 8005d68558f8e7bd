"""The people: who works here, and whom the notes are about."""

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

LANGUAGE_CODE = RegexValidator(r"^[a-z]{2,3}$", "Give two or three small letters, such as en, ga or pl.")
MOST_TRUSTED = 3


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
    languages = ArrayField(
        models.CharField(max_length=3, validators=[LANGUAGE_CODE]),
        default=list,
        blank=True,
        help_text="What its coaches speak, such as en, ga. Empty: any language.",
    )
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "club"
        ordering = ("name",)
        permissions = [
            ("import_roster", "Can import a club's roster"),
            ("match_again", "Can have a club's unclear names matched again"),
        ]

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
    trust_level = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(MOST_TRUSTED)],
        help_text=f"0 to {MOST_TRUSTED}. From 2, harmless entries that the AI is sure of are confirmed automatically.",
    )
    confirmation_threshold = models.DecimalField(
        "confidence for automatic confirmation",
        max_digits=3,
        decimal_places=2,
        default=Decimal("0.85"),
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(1)],
        help_text="How sure the AI must be, from 0.50 to 1.00.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        verbose_name_plural = "coaches"
        ordering = ("last_name", "first_name")
        permissions = [("trust_coach", "Can say how far a coach is trusted")]
        constraints = [
            models.UniqueConstraint(fields=["phone"], condition=~Q(phone=""), name="coach_phone_once"),
            models.CheckConstraint(condition=Q(trust_level__lte=MOST_TRUSTED), name="coach_trust_level_known"),
            models.CheckConstraint(
                condition=Q(confirmation_threshold__gte=Decimal("0.5"), confirmation_threshold__lte=1),
                name="coach_threshold_between_half_and_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Player(models.Model):
    """Somebody on a club's roster, whom notes speak of."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="players")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="players")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True)
    external_id = models.CharField(
        "club's own number", max_length=60, blank=True, help_text="By which the club's own lists know this player."
    )
    is_active = models.BooleanField("active", default=True)
    # The same person was on the roster twice: everything of this row is the other one's now.
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged_from")

    class Meta:
        ordering = ("last_name", "first_name")
        permissions = [("merge_player", "Can merge two players")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"], condition=~Q(external_id=""), name="player_number_once_a_club"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_active=False) & ~Q(merged_into=F("id")),
                name="player_merged_is_off_the_roster",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class MentionKind(models.TextChoices):
    """What a spoken name stands for."""

    PLAYER_NAME = "player_name", "Player"
    TEAM_NAME = "team_name", "Team"
    GROUP_REFERENCE = "group_reference", "Group"
    COACH_NAME = "coach_name", "Coach"


def one_target(*, or_none: bool = False) -> Q:
    """Of player, team and coach exactly one is named, or at most one."""
    player = Q(player__isnull=False, team__isnull=True, coach_meant__isnull=True)
    team = Q(player__isnull=True, team__isnull=False, coach_meant__isnull=True)
    coach = Q(player__isnull=True, team__isnull=True, coach_meant__isnull=False)
    nobody = Q(player__isnull=True, team__isnull=True, coach_meant__isnull=True)
    return player | team | coach | nobody if or_none else player | team | coach


class PlayerAlias(models.Model):
    """What somebody is called in notes, as people have taught it: for one coach, or for everybody of the club."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="aliases")
    coach = models.ForeignKey(
        Coach, models.PROTECT, null=True, blank=True, related_name="aliases", help_text="Empty: for every coach."
    )
    kind = models.CharField(max_length=20, choices=MentionKind)
    text = models.CharField("as spoken", max_length=200)
    key = models.CharField(max_length=200, editable=False, help_text="The text as names are compared.")
    player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="aliases")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="aliases")
    coach_meant = models.ForeignKey(Coach, models.PROTECT, null=True, blank=True, related_name="names_for_them")
    use_count = models.PositiveIntegerField("times used", default=0)
    last_used_at = models.DateTimeField("last used", null=True, blank=True)
    created_at = models.DateTimeField("taught", default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "learned name"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "coach", "kind", "key", "player", "team", "coach_meant"],
                nulls_distinct=False,
                name="alias_once",
            ),
            models.CheckConstraint(condition=one_target(), name="alias_means_one"),
            models.CheckConstraint(condition=Q(kind__in=MentionKind.values), name="alias_kind_known"),
            models.CheckConstraint(condition=~Q(key=""), name="alias_has_a_key"),
        ]

    def __str__(self) -> str:
        return self.text
