"""What the stages make of a note. Machines replace only what machines made; people's choices have rows of their own."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.notes import Artifact
from voicepipeline.models.people import Coach, MentionKind, Organization, Player, Team, one_target


class Transcript(models.Model):
    """What is said in a note, as a model heard it or as it was typed."""

    class Verdict(models.TextChoices):
        GOOD = "good", "Good"
        FLAGGED = "flagged", "To be reviewed"  # processed on, but somebody should listen
        NO_SPEECH = "no_speech", "No speech"  # nothing is made of it

    artifact = models.OneToOneField(Artifact, models.PROTECT, related_name="transcript")
    text = models.TextField(blank=True)
    segments = models.JSONField(default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    duration_seconds = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    ai_model = models.CharField("model", max_length=80, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    is_typed = models.BooleanField(default=False)
    verdict = models.CharField("quality", max_length=12, choices=Verdict)
    verdict_reasons = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # Somebody has listened to a note that was flagged, or in which no speech was found.
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="transcript_reviewed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["good", "flagged", "no_speech"]), name="transcript_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="transcript_confidence_is_a_share",
            ),
        ]
        indexes = [
            models.Index(
                fields=["verdict", "artifact"], condition=Q(reviewed_at__isnull=True), name="transcript_to_review"
            ),
        ]

    def __str__(self) -> str:
        return f"Transcript {self.pk}"


class Topic(models.TextChoices):
    INJURY = "injury", "Injury"
    SKILL_RATING = "skill_rating", "Skill rating"
    SKILL_PROGRESS = "skill_progress", "Skill progress"
    BEHAVIOR = "behavior", "Behaviour"
    PERFORMANCE = "performance", "Performance"
    ATTENDANCE = "attendance", "Attendance"
    WELLBEING = "wellbeing", "Wellbeing"
    RECOVERY = "recovery", "Recovery"
    DEVELOPMENT_MILESTONE = "development_milestone", "Milestone"
    PHYSICAL_DEVELOPMENT = "physical_development", "Physical development"
    PARENT_COMMUNICATION = "parent_communication", "Parents"
    TACTICAL = "tactical", "Tactics"
    TEAM_CULTURE = "team_culture", "Team culture"
    TODO = "todo", "To do"
    SESSION_PLAN = "session_plan", "Session plan"


class Severity(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Sentiment(models.TextChoices):
    POSITIVE = "positive", "Positive"
    NEUTRAL = "neutral", "Neutral"
    NEGATIVE = "negative", "Negative"
    CONCERNED = "concerned", "Concerned"


class Statement(models.Model):
    """What a claim says and the entry made of it repeats."""

    topic = models.CharField(max_length=24, choices=Topic)
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=3_000)
    quote = models.TextField(max_length=3_000)
    recommended_action = models.TextField(max_length=3_000, blank=True)
    time_reference = models.CharField(max_length=200, blank=True)
    severity = models.CharField(max_length=8, choices=Severity, blank=True)
    sentiment = models.CharField(max_length=10, choices=Sentiment, blank=True)
    skill_name = models.CharField(max_length=200, blank=True)
    skill_rating = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


def statement_constraints(prefix: str) -> list[models.BaseConstraint]:
    careful = ["injury", "wellbeing"]
    return [
        models.CheckConstraint(condition=Q(topic__in=Topic.values), name=f"{prefix}_topic_known"),
        models.CheckConstraint(
            condition=Q(severity="") | Q(topic__in=careful, severity__in=Severity.values),
            name=f"{prefix}_severity_only_where_it_means_something",
        ),
        models.CheckConstraint(
            condition=Q(skill_rating__isnull=True) | Q(skill_rating__gte=1, skill_rating__lte=5),
            name=f"{prefix}_rating_from_one_to_five",
        ),
    ]


class Claim(Statement):
    """One thing said about one entity."""

    class Status(models.TextChoices):
        EXTRACTED = "extracted", "Read"  # its names have not been looked at
        NEEDS_DISAMBIGUATION = "needs_disambiguation", "Name unclear"
        RESOLVED = "resolved", "Names matched"

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="claims", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Its place in the note, from 1.")
    # The same statement read again has the same key: topic, quote and whom it is about.
    key = models.CharField(max_length=64, editable=False)
    # Where the transcript says it; both empty when it does not.
    quote_start = models.PositiveIntegerField(null=True, blank=True)
    quote_end = models.PositiveIntegerField(null=True, blank=True)
    # [{"kind", "raw_text", "position" or null, "player_id" or null}], as the model gave them and we checked them.
    mentions = models.JSONField(default=list, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    status = models.CharField(max_length=24, choices=Status, default=Status.EXTRACTED)
    prompt_version = models.CharField(max_length=40, blank=True)
    ai_model = models.CharField("model", max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "statement"
        ordering = ("artifact", "number")
        constraints = [
            *statement_constraints("claim"),
            models.UniqueConstraint(fields=["artifact", "number"], name="claim_number_once_a_note"),
            models.UniqueConstraint(fields=["artifact", "key"], name="claim_once_a_note"),
            models.CheckConstraint(
                condition=Q(quote_start__isnull=True, quote_end__isnull=True)
                | Q(quote_start__isnull=False, quote_end__isnull=False),
                name="claim_quote_has_both_ends",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["extracted", "needs_disambiguation", "resolved"]), name="claim_status_known"
            ),
        ]

    @property
    def is_supported(self) -> bool:
        """Whether the transcript says what it quotes."""
        return self.quote_start is not None


class EntityResolution(models.Model):
    """Who is meant by one mention of a claim. Always remade by the machine, from the roster and people's choices."""

    class Status(models.TextChoices):
        AUTO_RESOLVED = "auto_resolved", "Matched automatically"
        NEEDS_DISAMBIGUATION = "needs_disambiguation", "Name unclear"
        USER_RESOLVED = "user_resolved", "Chosen by a person"
        UNRESOLVED = "unresolved", "Not on the roster"

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="resolutions", db_index=False)
    # The note's club and sender, so that open questions are found by them alone.
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, blank=True, related_name="+", db_index=False
    )
    sender = models.ForeignKey(Coach, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="resolutions", db_index=False)
    mention_number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=MentionKind)
    raw_text = models.CharField("as spoken", max_length=200)
    # The same name in one note is one question.
    name_key = models.CharField(max_length=200, editable=False)
    position = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=24, choices=Status)
    player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    coach_meant = models.ForeignKey(Coach, models.PROTECT, null=True, blank=True, related_name="+")
    # From 0 to 100; none for a group and for what a person chose.
    score = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    # [{"id", "name", "score", "reason"}] of the mention's kind, best first.
    candidates = models.JSONField(default=list, blank=True)
    # Whom the model had linked, and whether our own matching came to the same.
    model_player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="+")
    model_agrees = models.BooleanField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "matched name"
        permissions = [("settle_name", "Can say who is meant by a name")]
        ordering = ("claim", "mention_number")
        constraints = [
            models.UniqueConstraint(fields=["claim", "mention_number"], name="resolution_once_a_mention"),
            models.CheckConstraint(condition=Q(kind__in=MentionKind.values), name="resolution_kind_known"),
            models.CheckConstraint(
                condition=(Q(status__in=["auto_resolved", "user_resolved"]) & one_target())
                | Q(status="auto_resolved", kind="group_reference")
                | Q(
                    status__in=["needs_disambiguation", "unresolved"],
                    player__isnull=True,
                    team__isnull=True,
                    coach_meant__isnull=True,
                ),
                name="resolution_settled_means_somebody",
            ),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=True, resolved_at__isnull=True)
                | Q(resolved_by__isnull=False, resolved_at__isnull=False),
                name="resolution_chosen_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=False) | ~Q(status="user_resolved"),
                name="resolution_by_person_names_them",
            ),
        ]
        indexes = [
            models.Index(fields=["artifact", "name_key"], name="resolution_of_a_note"),
            models.Index(
                fields=["artifact", "kind", "name_key"],
                condition=Q(status="needs_disambiguation"),
                name="resolution_open_questions",
            ),
            models.Index(
                fields=["organization", "artifact", "kind", "name_key"],
                condition=Q(status="needs_disambiguation"),
                name="resolution_open_of_a_club",
            ),
            models.Index(
                fields=["sender", "artifact", "kind", "name_key"],
                condition=Q(status="needs_disambiguation"),
                name="resolution_open_of_a_coach",
            ),
            # With what a club's share of unclear names is counted from.
            models.Index(
                fields=["organization", "created_at"],
                include=["status", "kind", "resolved_by"],
                name="resolution_of_a_club",
            ),
            models.Index(fields=["player"], condition=Q(player__isnull=False), name="resolution_of_a_player"),
        ]

    def __str__(self) -> str:
        return f"{self.raw_text}: {self.get_status_display()}"
