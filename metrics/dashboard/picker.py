"""The form above the page: whose figures, of which days, against what."""

from collections.abc import Iterable
from typing import cast

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from metrics.dashboard.asked import Asked
from metrics.limits import limits
from metrics.windows import oldest_day


class Picker(forms.Form):
    """Only shows what is chosen: the address is read by `read_address`, whatever stands in it."""

    club = forms.ChoiceField(label="Club", required=False, widget=UnfoldAdminSelectWidget)
    since = forms.CharField(
        label="First day (UTC)", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    until = forms.CharField(
        label="Last day (UTC)", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    compare = forms.BooleanField(
        label="Compare with the time before", required=False, widget=UnfoldBooleanWidget(attrs={"value": "1"})
    )


def picker_for(asked: Asked, clubs: Iterable[tuple[int, str]]) -> Picker:
    """The names of clubs are text that people typed; a long one is cut by the field."""
    form = Picker(
        initial={
            "club": asked.club.pk if asked.club else "",
            "since": asked.first_day,
            "until": asked.last_day,
            "compare": asked.compares,
        }
    )
    club = cast("forms.ChoiceField", form.fields["club"])
    club.choices = [("", "All clubs"), *((str(pk), name) for pk, name in clubs)]
    oldest, today = oldest_day(asked.now, limits()), asked.now
    for name in ("since", "until"):
        form.fields[name].widget.attrs |= {"min": f"{oldest:%Y-%m-%d}", "max": f"{today:%Y-%m-%d}"}
    if not asked.is_custom:
        del form.fields["since"], form.fields["until"]
    return form
