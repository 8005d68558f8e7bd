"""What models cost, entered by people: each price holds from its day until the next one's."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from voicepipeline.admin.lists import MOST_COUNTED, ListAdmin
from voicepipeline.admin.run_filters import of_unknown_cost
from voicepipeline.admin.words import NOTHING, State
from voicepipeline.ai.endpoint import configured_models
from voicepipeline.models import ModelPrice, StageRun

PURPOSES = {"AI_TRANSCRIPTION_MODEL": "turns speech into text", "AI_CLAIMS_MODEL": "turns text into statements"}
TOKENS = ("input_usd_per_million_tokens", "output_usd_per_million_tokens")
AUDIO = "audio_usd_per_minute"
RUNS = "admin:voicepipeline_stagerun_changelist"


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ModelPrice
        fields = ("model", "valid_from", *TOKENS, AUDIO)
        labels = {
            "valid_from": "Holds from",
            "input_usd_per_million_tokens": "US dollars for a million tokens read",
            "output_usd_per_million_tokens": "US dollars for a million tokens written",
            "audio_usd_per_minute": "US dollars for a minute of audio",
        }
        help_texts = {
            "model": "Its name, exactly as the AI provider writes it.",
            "valid_from": "The first day (UTC) on which the provider charges this.",
            "input_usd_per_million_tokens": "Leave empty what this model is not charged by. 0 means that it is free.",
            "audio_usd_per_minute": "For models that turn speech into text and are charged by time.",
        }
        error_messages = {
            NON_FIELD_ERRORS: {
                "unique_together": "This model has a price from this day already. Change that one, or name another day."
            }
        }

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        entered = {name for name in (*TOKENS, AUDIO) if given.get(name) is not None}
        if not entered and not self.errors:
            raise forms.ValidationError("Enter at least one price. A price that is not known needs no row.")
        for name in entered:
            if given[name] < 0:
                self.add_error(name, "A price is not below zero.")
        for name, other in (TOKENS, TOKENS[::-1]):
            if other in entered and name not in entered and name not in self.errors:
                self.add_error(name, "Both kinds of tokens are charged: enter this price too, or 0 when it is free.")
        return given


@admin.register(ModelPrice)
class PriceAdmin(ListAdmin):
    form = PriceForm
    list_display = ("name", "state", "valid_from", "tokens_in", "tokens_out", "audio")
    ordering = ("model", "-valid_from")
    search_fields = ("model__istartswith",)
    search_help_text = "Beginning of a model's name"
    list_before_template = "voicepipeline/prices.html"
    empty_hint = "Costs are unknown until prices are entered."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        today = timezone.now().date()
        newest = ModelPrice.objects.filter(model=OuterRef("model"), valid_from__lte=today).order_by("-valid_from")
        prices: QuerySet[Any] = super().get_queryset(request)
        with_newest: QuerySet[Any] = prices.annotate(in_force_from=Subquery(newest.values("valid_from")[:1]))
        return with_newest

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a price that no note was ever charged by can go."""
        if obj is None or obj.valid_from <= timezone.now().date():
            return False
        return bool(super().has_delete_permission(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": "Prices", **unknown_prices(), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @display(description="Model")
    def name(self, price: ModelPrice) -> str:
        return price.model

    @display(description="State")
    def state(self, price: Any) -> str:
        if price.valid_from > timezone.now().date():
            return State("waiting", "From that day").label
        current = price.valid_from == price.in_force_from
        return (State("completed", "In force") if current else State("closed", "Past")).label

    @display(description="$ a million tokens read")
    def tokens_in(self, price: ModelPrice) -> str:
        return dollars(price.input_usd_per_million_tokens)

    @display(description="$ a million tokens written")
    def tokens_out(self, price: ModelPrice) -> str:
        return dollars(price.output_usd_per_million_tokens)

    @display(description="$ a minute of audio")
    def audio(self, price: ModelPrice) -> str:
        return dollars(price.audio_usd_per_minute)


def dollars(amount: Any) -> str:
    """At least cents, and no zeros behind them."""
    if amount is None:
        return NOTHING
    whole, _, rest = f"{amount:f}".partition(".")
    return f"{int(whole):,}.{rest.rstrip('0').ljust(2, '0')}"


def unknown_prices() -> dict[str, Any]:
    """The models in use without a price, and how many tries of the last day have no known cost."""
    now = timezone.now()
    models = configured_models()
    priced = ModelPrice.objects.filter(model__in=models.values(), valid_from__lte=now.date())
    known = set(priced.values_list("model", flat=True))
    tries = of_unknown_cost(StageRun.objects.all(), now=now).order_by()[: MOST_COUNTED + 1].count()
    return {
        "unpriced": [(model, PURPOSES[setting]) for setting, model in models.items() if model not in known],
        "unknown_tries": f"{MOST_COUNTED:,}+" if tries > MOST_COUNTED else f"{tries:,}" if tries else "",
        "unknown_url": f"{reverse(RUNS)}?cost=unknown",
    }
