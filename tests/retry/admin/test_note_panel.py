"""The retries on a voice note's own page: what is possible now, and the whole story of those before."""

import re

import pytest
from django.urls import reverse

from retry.models import RetryKind
from tests.factories import make_user
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    make_attempt,
    make_bulk_of,
    make_failed,
    make_moving,
    make_ready,
)
from voicepipeline import roles

pytestmark = pytest.mark.django_db


def page_of(note, page="change"):
    return reverse(f"admin:voicepipeline_artifact_{page}", args=[note.artifact_id])


def begin(note, kind):
    return reverse("admin:retry_note", args=[note.artifact_id, kind])


def panel_of(client, note):
    """The HTML of the panel alone."""
    page = client.get(page_of(note)).content.decode()
    return re.search(r'<section[^>]*aria-labelledby="retry-title".*?</section>', page, re.S)[0]


def words_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_what_is_possible_leads_to_its_page(client, operator):
    note = make_failed(NAMES)
    panel = panel_of(client, note)
    assert f'href="{begin(note, NAMES)}"' in panel
    assert f'href="{begin(note, STATEMENTS)}"' in panel


def test_what_is_not_possible_says_why_and_leads_nowhere(client, operator):
    note = make_failed(STATEMENTS)
    panel = panel_of(client, note)
    assert begin(note, NAMES) not in panel
    assert "It failed at Statements, which comes before Matching names." in words_of(panel)
    assert panel.count('aria-disabled="true"') == 3


def test_the_stage_that_failed_is_the_one_advised(client, operator):
    panel = panel_of(client, make_failed(ENTRIES))
    (advised,) = re.findall(r'id="retry-(\w+)" class="vp-button vp-button-primary"', panel)
    assert advised == ENTRIES


def test_each_kind_says_what_it_does(client, operator):
    words = words_of(panel_of(client, make_ready()))
    assert "Keeps the statements; matches the names again and makes the suggested entries anew." in words
    assert "Deletes everything that was made of it and begins again with the first stage." in words


def test_only_an_administrator_is_led_to_starting_over(client, operator):
    note = make_failed()
    panel = panel_of(client, note)
    assert begin(note, RetryKind.FULL) not in panel
    assert "Administrators may do this." in words_of(panel)
    client.force_login(make_user(roles.ADMINISTRATOR))
    assert begin(note, RetryKind.FULL) in panel_of(client, note)


def test_a_viewer_sees_all_of_it_and_can_begin_nothing(client, viewer):
    note = make_failed()
    make_attempt(note, make_user(roles.OPERATOR, first_name="Ana", last_name="Silva"))
    panel = panel_of(client, note)
    assert "/retry/" not in panel
    assert "Operators and administrators may do this." in words_of(panel)
    assert "Attempt 1" in words_of(panel)


def test_what_stands_against_every_kind_is_said_once(client, operator):
    panel = words_of(panel_of(client, make_moving(STATEMENTS, "queued")))
    assert panel.count("It waits for a worker for Statements, and goes on by itself.") == 1
    assert "What each kind of retry does" in panel


def test_the_history_says_who_when_why_what_and_how_it_ended(client, operator):
    note = make_failed()
    make_attempt(
        note,
        operator,
        outcome="failed",
        reason="The prompt is mended.",
        deleted={"statements": 4, "suggested entries": 1},
        failed_stage=STATEMENTS,
        error_code="model_refused",
        error_message="The AI service refuses this note.",
    )
    words = words_of(panel_of(client, note))
    assert "Attempt 1 Read the statements again Failed again Aoife Kelly" in words
    assert "deleted 4 statements, 1 suggested entry Why: The prompt is mended." in words
    assert "Statements: The AI service refuses this note." in words


def test_the_newest_come_first_and_the_others_are_folded(client, operator):
    note = make_failed()
    for _ in range(5):
        make_attempt(note, operator, outcome="succeeded")
    panel = panel_of(client, note)
    assert re.findall(r"Attempt (\d)", panel) == ["5", "4", "3", "2", "1"]
    assert "2 earlier" in words_of(panel.partition("<details")[2])


def test_a_history_that_is_too_long_leads_to_the_list_of_all(client, operator):
    note = make_failed()
    for _ in range(31):
        make_attempt(note, operator, outcome="succeeded")
    panel = panel_of(client, note)
    assert len(re.findall(r"Attempt \d", panel)) == 30
    assert f"{reverse('admin:retry_retryattempt_changelist')}?q={note.artifact_id}" in panel


def test_a_retry_that_was_part_of_a_bulk_retry_leads_there(client, operator):
    note = make_failed()
    bulk = make_bulk_of(make_attempt(note, outcome="succeeded"))
    assert reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id]) in panel_of(client, note)


def test_a_reason_is_hidden_from_those_who_may_not_read(client, viewer):
    note = make_failed()
    make_attempt(note, reason="Caoimhe Kelly is meant.")
    panel = panel_of(client, note)
    assert "Caoimhe" not in panel
    assert "Why: Hidden" in words_of(panel)


def test_the_live_part_has_the_panel(client, operator):
    note = make_failed()
    assert "retry-title" in client.get(page_of(note, "live")).content.decode()


def test_a_long_history_costs_no_more_questions_than_none(client, operator, django_assert_num_queries):
    notes = [make_failed(), make_failed()]
    for _ in range(12):
        make_attempt(notes[1], operator, outcome="failed")
    # The rest of the page asks 17; the panel asks for the note's runs, its attempts, its confirmed entries, pauses,
    # services, what this person has destroyed lately, and the history.
    for note in notes:
        client.get(page_of(note, "live"))
        with django_assert_num_queries(24):
            client.get(page_of(note, "live"))
