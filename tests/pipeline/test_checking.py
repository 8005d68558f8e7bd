"""What of a model's answer is believed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.answers import answer, claim, mention
from voicepipeline.ai.schemas import MAX_CLAIMS, MAX_MENTIONS
from voicepipeline.matching.roster import Person
from voicepipeline.policies.claims import check, may_name

SAID = "Neve played well. She hurt her ankle, and Aoife's brother drove. Niamh Kelly and Aoife were late."
NIAMH, AOIFE = Person(7, "Niamh", "Kelly"), Person(9, "Aoife", "Ryan")
OFFERED = {"p-1": NIAMH, "p-2": AOIFE}


def checked(*claims, said=SAID):
    return check(answer(*claims), transcript=said, offered=OFFERED)


def only(*claims, said=SAID):
    (kept,) = checked(*claims, said=said).claims
    return kept


def figures(found):
    return (found.dropped_ids, found.dropped_mentions, found.cleared_links)


# --- Names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoken", "roster_id", "linked"),
    [
        ("Niamh Kelly", "p-1", 7),
        ("niamh kelly", "p-1", 7),
        ("Neve", "p-1", 7),  # how the name is heard
        ("Kelly", "p-1", 7),
        ("Aoife", "p-2", 9),
        ("Aoife", None, None),
    ],
)
def test_a_spoken_name_keeps_its_player(spoken, roster_id, linked):
    found = checked(claim("played well", mention(spoken, roster_id)))
    assert [each.player_id for each in found.claims[0].mentions] == [linked]
    assert figures(found) == (0, 0, 0)


@pytest.mark.parametrize(
    ("given", "names", "counted"),
    [
        # (dropped ids, dropped mentions, cleared links)
        (mention("Aoife", "p-invented"), ["Aoife"], (1, 0, 0)),
        (mention("Zebulon", "p-invented"), [], (1, 1, 0)),
        (mention("Zebulon Quartermaine"), [], (0, 1, 0)),
        (mention("Aoife Ryan", "p-2"), [], (0, 1, 0)),  # the roster's name, but only "Aoife" was spoken
        (mention("She", "p-1"), ["She"], (0, 0, 1)),
        (mention("brother", "p-2"), ["brother"], (0, 0, 1)),
        (mention("Aoife", "p-1"), ["Aoife"], (0, 0, 1)),
        (mention("Neve", "p-1", kind="group_reference"), ["Neve"], (0, 0, 1)),
        (mention("Aoife", "p-2", kind="coach_name"), ["Aoife"], (0, 0, 1)),
        (mention("…"), [], (0, 1, 0)),
    ],
)
def test_a_name_never_spoken_never_becomes_a_player(given, names, counted):
    found = checked(claim("played well", given))
    assert [(each.raw_text, each.player_id) for each in found.claims[0].mentions] == [(name, None) for name in names]
    assert figures(found) == counted


def test_a_single_letter_is_nobodys_name():
    assert not may_name("a", AOIFE)
    assert may_name("A. Ryan", AOIFE)


def test_a_mention_reads_as_it_was_spoken():
    assert only(claim("played well", mention("NIAMH, kelly!"))).mentions[0].raw_text == "Niamh Kelly"


def test_one_name_taken_for_two_players_is_neithers():
    found = checked(claim("late", mention("Aoife", "p-2"), mention("Aoife", "p-1"), mention("Aoife", "p-2")))
    assert [each.player_id for each in found.claims[0].mentions] == [None]
    assert found.cleared_links >= 1


# --- Names that nobody spoke ----------------------------------------------------------------------------------

BLANK = "[name not spoken]"


@pytest.mark.parametrize(
    ("names", "title", "kept"),
    [
        ([mention("Aoife Ryan", "p-2")], "Aoife Ryan was superb", f"Aoife {BLANK} was superb"),
        ([mention("Zebulon Quartermaine")], "ZEBULON quartermaine's day", f"{BLANK} day"),
        ([mention("She", "p-1")], "Kelly, that is Niamh", "Kelly, that is Niamh"),  # both were spoken
        ([], "A word with the Ryans, with Ryan", f"A word with the Ryans, with {BLANK}"),
        ([mention("Aoife")], "Aoife Ryan was late", "Aoife Ryan was late"),  # who it is, matching decides
        ([mention("Aoife", "p-2")], "Aoife Ryan was late", "Aoife Ryan was late"),
        ([mention("Neve", "p-1")], "Niamh Kelly played well", "Niamh Kelly played well"),
        ([mention("Neve", "p-2")], "Aoife Ryan played well", f"Aoife {BLANK} played well"),
    ],
)
def test_a_name_that_nobody_spoke_is_in_no_text(names, title, kept):
    found = only(claim("played well", *names, title=title, description=title, recommended_action=title))
    assert {found.title, found.description, found.recommended_action} == {kept}


@pytest.mark.parametrize(
    ("names", "title", "sure"),
    [
        ([mention("Zebulon")], "Good game", None),
        ([mention("Neve", "p-2")], "Good game", None),
        ([mention("Neve", "p-1", kind="group_reference")], "Good game", None),
        ([], "Ryan was superb", None),
        ([], "Good game", 0.9),
        ([mention("Neve", "p-1")], "Niamh Kelly", 0.9),
    ],
)
def test_how_sure_the_model_is_counts_only_where_it_made_up_nobody(names, title, sure):
    assert only(claim("played well", *names, title=title)).confidence == sure


def test_a_quote_that_nobody_said_names_nobody_who_was_not_spoken_of():
    found = only(claim("Zebulon hurt his knee", mention("Zebulon"), description=" "))
    assert (found.quote, found.description) == (f"{BLANK} hurt his knee",) * 2


def test_one_claim_that_names_nobody_spoken_of_casts_no_doubt_on_the_next():
    found = checked(claim("played well", mention("Zebulon")), claim("were late", mention("Aoife", "p-2")))
    assert [each.confidence for each in found.claims] == [None, 0.9]


def test_a_whole_squad_made_up_in_every_statement_takes_no_time():
    squad = {f"p-{number}": Person(number, f"Zeb{number}", f"Quarter{number}") for number in range(300)}
    names = " ".join(person.name for person in squad.values())[:2_900]
    claims = [
        claim(
            f"were late {number}", *(mention("Aoife", f"p-{each}") for each in range(MAX_MENTIONS)), description=names
        )
        for number in range(MAX_CLAIMS)
    ]
    started = time.process_time()
    found = check(answer(*claims), transcript=SAID, offered=squad)
    assert {each.description.strip(f"{BLANK}…") for each in found.claims} == {""}
    assert time.process_time() - started < 5


# --- Places ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "name", "at"),
    [
        ("Niamh Kelly and Aoife were late", "Aoife", SAID.rindex("Aoife")),
        ("and Aoife's brother drove", "Aoife", SAID.index("Aoife")),
        # Named in the sentence before: the nearest one that comes first.
        ("She hurt her ankle", "Neve", 0),
        ("were late", "Aoife", SAID.rindex("Aoife")),
        ("Neve played well", "Aoife", SAID.index("Aoife")),
        ("never said at all", "Aoife", SAID.index("Aoife")),
    ],
)
def test_a_mentions_place_is_looked_up_and_not_believed(quote, name, at):
    kept = only(claim(quote, mention(name, position=4_000)))
    assert kept.mentions[0].position == at


def test_a_quote_has_its_place_whatever_its_capitals_and_commas():
    kept = only(claim("SHE HURT — her ankle"))
    assert SAID[slice(*kept.place)] == "She hurt her ankle"


@pytest.mark.parametrize("quote", ["She hurt her knee", "She ankle", "  ", "…"])
def test_a_quote_that_nobody_said_leaves_the_claim_unsupported(quote):
    found = checked(claim(quote))
    assert (found.claims[0].place, found.unsupported_quotes) == (None, 1)


# --- Text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "severity", "kept"),
    [("injury", "high", "high"), ("wellbeing", "low", "low"), ("injury", None, ""), ("recovery", "high", "")],
)
def test_a_severity_stays_where_it_means_something(topic, severity, kept):
    assert only(claim("played well", topic=topic, severity=severity)).severity == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Good \n\t game ", "Good game"),
        (" ", ""),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\u202eb\x07c", "a b c"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_title_is_one_line_of_plain_text(given, kept):
    assert only(claim("played well", title=given)).title == kept


def test_without_a_description_the_quote_describes():
    assert only(claim("played well", description=" ")).description == "played well"


def test_a_claim_that_says_nothing_is_dropped_and_counted():
    found = checked(claim("…", description=" "), claim("played well"))
    assert (len(found.claims), found.dropped_claims) == (1, 1)


# --- Keys ------------------------------------------------------------------------------------------------------


def key(**fields):
    return only({**claim("Niamh Kelly and Aoife were late", mention("Niamh Kelly", "p-1")), **fields}).key


@pytest.mark.parametrize(
    "same",
    [
        {"title": "Otherwise"},
        {"description": "Said otherwise."},
        {"confidence": 0.1},
        {"quote": "niamh kelly, and aoife were late!"},
        {"mentions": [mention("NIAMH KELLY", None)]},
        {"mentions": [mention("Niamh Kelly", "p-1"), mention("Nobody Spoke")]},
    ],
)
def test_the_same_statement_read_again_has_the_same_key(same):
    assert key(**same) == key()


@pytest.mark.parametrize("other", [{"topic": "attendance"}, {"quote": "were late"}, {"mentions": [mention("Aoife")]}])
def test_another_statement_has_another_key(other):
    assert key(**other) != key()


def test_the_order_of_names_does_not_matter():
    both = [mention("Niamh Kelly"), mention("Aoife")]
    assert key(mentions=both) == key(mentions=both[::-1])


def test_doubled_claims_are_dropped_and_counted():
    found = checked(claim("played well"), claim("Played well!", title="Again"), claim("played well", topic="injury"))
    assert [each.title for each in found.claims] == ["Good game", "Good game"]
    assert found.dropped_claims == 1


# --- Anything --------------------------------------------------------------------------------------------------

SIGNS = st.text(st.sampled_from("aN eo'\u2019s<>.\n\u202e\x07Ó"), min_size=1, max_size=30)


@given(st.lists(st.tuples(SIGNS, SIGNS, SIGNS, st.sampled_from(["p-1", "p-2", "admin", None])), max_size=8), SIGNS)
def test_whatever_is_answered_only_spoken_names_and_offered_players_come_out(rows, said):
    found = checked(*(claim(quote, mention(name, who), title=title) for quote, title, name, who in rows), said=said)
    assert len({each.key for each in found.claims}) == len(found.claims)
    for each in found.claims:
        assert all(name.player_id in (None, 7, 9) for name in each.mentions)
        assert all(name.position < len(said) for name in each.mentions)


def test_the_largest_answer_over_the_longest_transcript_takes_no_time():
    said = "Niamh Kelly and Aoife's brother were late again today. " * 4_000
    names = [mention(f"Aoife brother {number}", "p-2") for number in range(MAX_MENTIONS - 1)]
    claims = [claim(f"were late again {number}", mention("Aoife", "p-2"), *names) for number in range(MAX_CLAIMS)]
    started = time.process_time()
    found = checked(*claims, said=said)
    assert (len(found.claims), found.dropped_mentions) == (MAX_CLAIMS, MAX_CLAIMS * (MAX_MENTIONS - 1))
    assert time.process_time() - started < 5
