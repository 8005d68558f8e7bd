"""Quotes in a transcript, and when they were said."""

import random

import pytest

from voicepipeline.admin.note_marks import Quote, clock, cut, locate, paragraphs

TEXT = "Niamh was sharp. Owen was late again."


def shown(pieces):
    return [(piece.text, piece.statements, piece.ending) for piece in pieces]


def segment(text, begins, ends):
    return {"text": text, "start_seconds": begins, "end_seconds": ends}


def test_a_transcript_without_quotes_is_one_piece():
    assert shown(cut(TEXT, [])) == [(TEXT, (), ())]


def test_a_quote_is_cut_out_of_what_is_around_it():
    assert shown(cut("say Owen was late twice", [Quote(3, 4, 17)])) == [
        ("say ", (), ()),
        ("Owen was late", (3,), (3,)),
        (" twice", (), ()),
    ]


def test_adjacent_quotes_stay_two():
    assert shown(cut("abcd", [Quote(1, 0, 2), Quote(2, 2, 4)])) == [("ab", (1,), (1,)), ("cd", (2,), (2,))]


def test_where_quotes_overlap_the_text_belongs_to_both():
    assert shown(cut("abcdef", [Quote(1, 0, 4), Quote(2, 2, 6)])) == [
        ("ab", (1,), ()),
        ("cd", (1, 2), (1,)),
        ("ef", (2,), (2,)),
    ]


def test_a_quote_inside_another_ends_by_itself():
    assert shown(cut("abcdef", [Quote(7, 0, 6), Quote(2, 2, 4)])) == [
        ("ab", (7,), ()),
        ("cd", (2, 7), (2,)),
        ("ef", (7,), (7,)),
    ]


def test_the_same_words_quoted_twice_are_marked_once_for_both():
    assert shown(cut("abc", [Quote(2, 0, 3), Quote(1, 0, 3)])) == [("abc", (1, 2), (1, 2))]


def test_a_quote_beyond_the_end_is_marked_as_far_as_there_is_text():
    assert shown(cut("abcd", [Quote(1, 2, 99)])) == [("ab", (), ()), ("cd", (1,), (1,))]


@pytest.mark.parametrize("quote", [Quote(1, 2, 2), Quote(1, 3, 1), Quote(1, 99, 120)])
def test_a_quote_of_nothing_marks_nothing(quote):
    assert shown(cut("abcd", [quote])) == [("abcd", (), ())]


def test_an_empty_text_has_no_pieces():
    assert cut("", [Quote(1, 0, 3)]) == []
    assert paragraphs("", [], []) == []


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_quoted_no_letter_is_lost_and_each_quote_ends_once(seed):
    chance = random.Random(seed)
    text = "".join(chance.choices("abc <&>\n", k=60))
    quotes = [Quote(number, chance.randrange(-3, 60), chance.randrange(0, 70)) for number in range(12)]
    segments = [segment(text[at : at + 10], at, at + 9) for at in range(0, 60, 10)]
    pieces = [
        piece for part in paragraphs(text, quotes, segments) for sentence in part.sentences for piece in sentence.pieces
    ]
    assert "".join(piece.text for piece in pieces) == text
    ended = [number for piece in pieces for number in piece.ending]
    assert len(ended) == len(set(ended))
    for quote in quotes:
        marked = "".join(piece.text for piece in pieces if quote.statement in piece.statements)
        assert marked == text[max(0, quote.start) : max(0, quote.end)]


def test_segments_are_found_where_they_stand():
    heard = locate(TEXT, [segment(" Niamh was sharp.", 0, 2.5), segment("Owen was late again.", 2.5, 5)])
    assert heard == [(0, 0, 2.5), (17, 2.5, 5)]


def test_repeated_words_are_found_one_after_the_other():
    heard = locate("Go. Go. Go.", [segment("Go.", at, at + 1) for at in range(3)])
    assert [each.start for each in heard] == [0, 4, 8]


@pytest.mark.parametrize(
    "junk",
    [
        None,
        "Niamh",
        7,
        {},
        segment("never said", 0, 1),
        segment("", 0, 1),
        segment(None, 0, 1),
        segment("Niamh", "0", 1),
        segment("Niamh", None, 1),
        segment("Niamh", float("nan"), 1),
        segment("Niamh", -1, 1),
        segment("Niamh", True, 1),
        segment("Niamh", 0, float("inf")),
    ],
)
def test_what_is_no_segment_of_this_text_is_left_out(junk):
    assert locate(TEXT, [junk, segment("Owen", 3, 4)]) == [(0, 3, 4)]


def test_text_without_times_is_read_as_it_is():
    (paragraph,) = paragraphs(TEXT, [], [])
    assert (paragraph.clock, paragraph.media_fragment) == ("", "")


def test_a_new_paragraph_begins_about_every_twenty_seconds():
    words = [f"Sentence {number}." for number in range(10)]
    segments = [segment(text, 6 * number, 6 * number + 5) for number, text in enumerate(words)]
    made = paragraphs(" ".join(words), [], segments)
    assert [(part.clock, len(part.sentences)) for part in made] == [("0:00", 4), ("0:24", 4), ("0:48", 2)]
    assert made[1].media_fragment == "#t=24.00"


def test_a_quote_over_two_sentences_is_marked_in_both_and_ends_in_the_second():
    segments = [segment("Niamh was sharp.", 0, 2), segment("Owen was late again.", 2, 5)]
    (paragraph,) = paragraphs(TEXT, [Quote(4, 10, 21)], segments)
    first, second = paragraph.sentences
    assert shown(first.pieces) == [("Niamh was ", (), ()), ("sharp. ", (4,), ())]
    assert shown(second.pieces) == [("Owen", (4,), (4,)), (" was late again.", (), ())]


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3_723, "1:02:03")])
def test_places_in_a_recording_are_told_as_players_tell_them(seconds, words):
    assert clock(seconds) == words
