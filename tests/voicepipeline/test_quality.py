# ruff: noqa: RUF001 - letters of other alphabets are among what is judged.
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.ai.endpoint import Capabilities
from voicepipeline.ai.hearing import parameters
from voicepipeline.policies import quality
from voicepipeline.policies.inventions import only_inventions
from voicepipeline.policies.languages import is_unexpected, language_code
from voicepipeline.policies.quality import REASONS, Judgement, Verdict
from voicepipeline.simulator.notes import HEARD_IN_SILENCE, NOTES

GOOD = Judgement(Verdict.GOOD)
PLAIN = "Niamh Kelly was excellent tonight and her first touch has improved."


def judge(text, seconds=None, languages=(), expected=(), **more):
    duration = None if seconds is None else Decimal(str(seconds))
    return quality.judge(text, duration_seconds=duration, languages=languages, expected_languages=expected, **more)


def words(count):
    """That many words, of which no phrase repeats itself."""
    return " ".join(f"wo{'rs'[number % 2]}d{number}" for number in range(count))


def silent(*reasons):
    return Judgement(Verdict.NO_SPEECH, reasons)


def flagged(*reasons):
    return Judgement(Verdict.FLAGGED, reasons)


# --- What is good ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("note", NOTES)
def test_what_coaches_say_is_good(note):
    assert judge(note, 20, ["english"], ["en", "ga"]) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "Bhí Niamh ar fheabhas anocht agus d'imir Róisín go han-mhaith ar fad.",
        "Ro\u0301isi\u0301n O\u2019Brien wasn't at training, she's at her nan's",
        "Олена сьогодні добре працювала на тренуванні, але болить коліно.",
        "Η Ελένη έπαιξε πολύ καλά σήμερα στο γήπεδο.",
        "वो भी तो है जो ये थी",
        "लड़की ने आज बहुत अच्छा खेल दिखाया और मैं खुश हूँ।",
        "اليوم لعبت ليلى بشكل ممتاز في التدريب",
        "今日の練習で美咲はとても良かったです。右足首を少し痛めました。",
        "วันนี้น้องเมย์เล่นดีมากแต่เจ็บข้อเท้าขวานิดหน่อย",
        "오늘 지민이는 훈련에서 정말 잘했어요 그런데 발목이 아파요",
        "Die Mannschaftskapitänin übernahm Verantwortung beim Elfmeterschießen gegen Rückwärtsbewegungen.",
        "7 and 9 and 11: 3 of 5, 4 of 5, 2 of 5",
        "Well done, well done, well done to Cian Murphy and the whole back line tonight.",
        "Thanks for watching the under fourteens on Saturday, Cian.",
        "Thank you for coming. Aoife hurt her ankle in the first half. Bye bye.",
        "Translated by his mother, Tomasz told us that the left ankle is sore again",
        "The music was loud (the usual crowd) but Ellie kept her concentration very well.",
    ],
)
def test_a_statement_is_good_in_every_language_and_script(text):
    assert judge(text, 8) == GOOD


def test_an_unknown_duration_and_unknown_languages_are_no_reasons():
    assert judge(PLAIN, None, [], ["en"]) == GOOD


# --- What is no speech -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   \n\t", "...", "♪♪", "?!", "\u200b", "👍👍"])
def test_a_text_without_letters_is_empty(text):
    assert judge(text) == silent("empty")


@pytest.mark.parametrize(
    "text", ["Tommy hurt his ankle.", "Hello", "O'Brien didn't - train -", "3 of 5 passes", "足首が痛"]
)
def test_fewer_than_five_words_are_no_speech(text):
    assert judge(text) == silent("fewer_than_five_words")


@pytest.mark.parametrize("text", ["Tommy hurt his left ankle.", "美咲は足首がとても痛い"])
def test_five_words_are_speech(text):
    assert judge(text) == GOOD


MARKERS = (
    "[inaudible]", "(inaudible)", "[Unclear]", "[CROSSTALK]", "[cross talk]", "[music]",
    "[BLANK_AUDIO]", "(background noise)", "<unintelligible>", "{noise}", "*coughs*",
    "[inaudible 00:01:12]", "[ Silence ]", "[?]", "[...]", "♪", "♪♫", "🎵", "[Musik]",
    "[speaking foreign language]", "[неразборчиво]", "[音楽]", "(loud music playing)", "[no audio]",
    "[no sound]",
)  # fmt: skip


@pytest.mark.parametrize("marker", MARKERS)
def test_more_markers_than_words_are_no_speech(marker):
    assert judge(f"{words(5)} " + f"{marker}, " * 6) == silent("mostly_inaudible")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_is_not_a_word(marker):
    assert judge(f"Tommy hurt {marker} ankle") == silent("fewer_than_five_words")


def test_nothing_but_markers_says_both_reasons():
    assert judge("[inaudible] " * 6) == silent("fewer_than_five_words", "mostly_inaudible")


@pytest.mark.parametrize(
    ("said", "markers", "expected"),
    [
        (8, 0, GOOD),
        (8, 2, GOOD),  # 20 %
        (39, 10, flagged("often_inaudible")),
        (8, 3, flagged("often_inaudible")),
        (6, 6, flagged("often_inaudible")),  # 50 %
        (6, 7, silent("mostly_inaudible")),
    ],
)
def test_the_share_of_markers_decides(said, markers, expected):
    assert judge(f"{words(said)} " + "[inaudible] " * markers) == expected


@pytest.mark.parametrize("brackets", ["(Tommy was unclear about it)", "[sic]", "(number 7)", "(the music teacher)"])
def test_what_somebody_says_in_brackets_is_no_marker(brackets):
    assert judge(f"{words(5)} {brackets} {brackets}") == GOOD


INVENTIONS = (
    *HEARD_IN_SILENCE, "Thanks for watching!", "Thank you so much for watching this video.",
    "Thank you. Thank you. Thank you. Thank you.",
    "Thank you for watching, and don't forget to like and subscribe!", "you",
    "You you you you you you you", "Bye. Bye-bye.", "Don’t forget to hit the bell icon below.",
    "Please like, share and subscribe to our channel for more videos",
    "I'll see you in the next video. Bye!", "See you guys next time.",
    "thank you for watching please subscribe to my channel", "Subtitles by the Amara.org community",
    "Subtitles created by volunteers of the deaf centre", "Transcribed by ESO, translated by —",
    "Closed captioning provided by the city council", "Captions by GetTranscribed.com",
    "Transcription by CastingWords", "© BF-WATCH TV 2021",
    "Copyright 2024 Mooji Media Ltd. All Rights Reserved.", "www.mooji.org",
    "Sous-titres réalisés par la communauté d'Amara.org", "Sous-titrage Société Radio-Canada",
    "Merci d'avoir regardé cette vidéo !", "Untertitel der Amara.org-Community",
    "Untertitelung des ZDF, 2020", "Vielen Dank fürs Zuschauen. Bis zum nächsten Mal!",
    "Subtítulos realizados por la comunidad de Amara.org", "¡Gracias por ver el video!",
    "Legendas pela comunidade Amara.org", "Sottotitoli creati dalla comunità Amara.org",
    "Grazie per aver guardato il video.", "Napisy stworzone przez społeczność Amara.org",
    "Dziękuję za oglądanie.", "Titulky vytvořil JohnyX http://johnyxcz.blogspot.cz",
    "Ondertitels ingediend door de Amara.org gemeenschap", "Субтитры сделал DimaTorzok",
    "Продолжение следует...", "Спасибо за просмотр!", "Дякую за перегляд!", "ご視聴ありがとうございました",
    "字幕由Amara.org社区提供", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
    "시청해주셔서 감사합니다.", "MBC 뉴스 이덕영입니다.",
    "Go raibh maith agat as féachaint.", "[Music] Thank you for watching! [Applause]",
    "♪ Thanks for watching ♪", "Okay. Um. So. Thank you. Bye.",
)  # fmt: skip


@pytest.mark.parametrize("text", INVENTIONS)
def test_known_inventions_are_no_speech_whatever_their_length(text):
    assert only_inventions(text.replace("[Music]", "").replace("[Applause]", ""))
    once, often = judge(text, 600), judge(f"{text} " * 40, 600)
    assert once.verdict is often.verdict is Verdict.NO_SPEECH
    assert "only_known_inventions" in once.reasons
    assert "only_known_inventions" in often.reasons


@pytest.mark.parametrize("invention", HEARD_IN_SILENCE)
@pytest.mark.parametrize("first", [True, False])
def test_an_invention_beside_a_statement_takes_nothing_from_it(invention, first):
    assert judge(f"{invention} {PLAIN}" if first else f"{PLAIN} {invention}", 20) == GOOD


def test_our_own_list_of_names_read_back_is_no_speech():
    asked = parameters(Capabilities(prompt=True), names=["Niamh Kelly", "J. Murphy", "Róisín O'Brien"], languages=[])
    assert judge(asked["prompt"], 5) == silent("only_known_inventions")


def test_a_statement_after_our_list_of_names_is_looked_at():
    assert judge(f"Names that may be spoken: Niamh Kelly, Cian Murphy. {PLAIN}") == flagged("names_read_back")


@pytest.mark.parametrize(
    ("seconds", "count", "expected"),
    [
        (0, 6, silent("shorter_than_speech")),
        (0.99, 20, silent("shorter_than_speech")),
        (0.99, 21, flagged("too_many_words")),
        (1, 6, GOOD),
    ],
)
def test_words_in_next_to_no_time_were_not_said(seconds, count, expected):
    assert judge(words(count), seconds) == expected


@pytest.mark.parametrize("nonsense", ["NaN", "Infinity", "-3"])
def test_a_duration_that_cannot_be_is_unknown(nonsense):
    assert judge(words(40), nonsense) == GOOD


@pytest.mark.parametrize(
    ("probability", "count", "expected"),
    [
        (0.6, 8, GOOD),
        (0.61, 8, flagged("model_doubts_speech")),
        (0.9, 8, flagged("model_doubts_speech")),
        (0.91, 20, silent("model_heard_silence")),
        (0.91, 21, flagged("model_doubts_speech")),
    ],
)
def test_the_models_own_doubt_counts(probability, count, expected):
    assert judge(words(count), no_speech_probability=probability) == expected


# --- What is looked at by a person -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "count", "expected"),
    [
        (60, 355, GOOD),
        (60, 356, flagged("too_many_words")),
        (6, 40, GOOD),
        (6, 41, flagged("too_many_words")),
        (60, 10, GOOD),
        (60, 9, flagged("too_few_words")),
        (59.99, 5, GOOD),
        (600, 100, GOOD),
        (600, 99, flagged("too_few_words")),
    ],
)
def test_words_a_minute_have_limits_on_both_sides(seconds, count, expected):
    assert judge(words(count), seconds) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no no no no no no no no",
        "I'm going to go, I'm going to go. I'm going to go! I'm going to GO",
        f"{PLAIN} {'and then he scored ' * 4}",
        f"{' '.join(f'phrase{number}' for number in range(25))} " * 4,
        "美咲は痛い" * 4,
    ],
)
def test_a_loop_is_looked_at(text):
    assert judge(text) == flagged("repeats_itself")


@pytest.mark.parametrize(
    "text",
    [
        "go go go go go go go said Cian",
        "and then he scored, and then he scored, and then he scored",
        "One good pass by Cian. One good pass by Luka. One good pass by Ellie. One good pass by Dara.",
    ],
)
def test_a_few_repetitions_are_how_people_talk(text):
    assert judge(text) == GOOD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c d e f g h", flagged("odd_word_lengths")),
        ("ab cd ef gh ij", GOOD),
        ("abcdefghijklmno pqrstuvwxyzabcd bcdefghijklmnop cdefghijklmnopq zyxwvutsrqponml", GOOD),
        (
            "abcdefghijklmnop qqrstuvwxyzabcd bcdefghijklmnop cdefghijklmnopq zyxwvutsrqponml",
            flagged("odd_word_lengths"),
        ),
        ("1 2 3 4 5 6 7", GOOD),
        ("good 1 2 3 4 5 6 7 8 9", GOOD),
    ],
)
def test_words_of_unusual_length_are_looked_at(text, expected):
    assert judge(text) == expected


@pytest.mark.parametrize(
    ("heard", "usual", "unexpected"),
    [
        (["en"], ["en"], False),
        (["english"], ["en", "ga"], False),
        (["English"], ["en-IE"], False),
        (["eng"], ["en_GB"], False),
        (["gle"], ["ga"], False),
        (["pl"], ["en", "ga"], True),
        (["korean"], ["en"], True),
        (["ru", "en"], ["en"], False),
        (["ru", "ko"], ["en"], True),
        (["und"], ["en"], False),
        (["unknown", ""], ["en"], False),
        (["klingon"], ["en"], True),
        ([], ["en"], False),
        (["pl"], [], False),
        ([], [], False),
    ],
)
def test_only_a_language_that_nobody_in_the_club_speaks_is_unexpected(heard, usual, unexpected):
    assert is_unexpected(heard, usual) is unexpected
    assert judge(PLAIN, None, heard, usual) == (flagged("unexpected_language") if unexpected else GOOD)


@pytest.mark.parametrize(
    ("told", "code"), [("nb", "no"), ("Mandarin", "zh"), ("zh-Hant", "zh"), ("cze", "cs"), (" UND ", None)]
)
def test_a_language_has_one_code(told, code):
    assert language_code(told) == code


def test_every_doubt_is_told():
    judged = judge("no no no no no no no no [inaudible] [inaudible] [inaudible]", 1, ["ko"], ["en"])
    assert judged == flagged("often_inaudible", "repeats_itself", "unexpected_language")


# --- Typed notes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Tommy hurt his ankle",
        "Injury!",
        "7",
        "足",
        "no no no no no no no no",
        "[unclear] who",
        "Thank you for watching!",
    ],
)
def test_what_a_person_typed_is_believed(text):
    assert judge(text, 0, ["ko"], ["en"], typed=True) == GOOD


@pytest.mark.parametrize("text", ["", "  ", "...", "👍"])
def test_a_typed_note_can_be_empty(text):
    assert judge(text, typed=True) == silent("empty")


# --- The reasons and the bounds --------------------------------------------------------------------------------


@given(st.text(max_size=300), st.none() | st.decimals(), st.none() | st.floats(), st.booleans())
def test_every_text_is_judged_with_reasons_that_have_words(text, seconds, probability, typed):
    judged = quality.judge(
        text,
        duration_seconds=seconds,
        languages=[text[:5]],
        expected_languages=["en"],
        no_speech_probability=probability,
        typed=typed,
    )
    assert set(judged.reasons) <= set(REASONS)
    assert bool(judged.reasons) is (judged.verdict is not Verdict.GOOD)


HOSTILE = {
    "brackets": "[(<{*" * 40_000,
    "one word": "a" * 200_000,
    "short words": "a " * 100_000,
    "full stops": "." * 199_999 + "a",
    "spaces": "ab." + " " * 199_996 + "a",
    "marks": "a" + "\u0301\u0327" * 99_999,
    "connectors": "and " * 50_000 + "x",
    "thanks": "thank you for " * 14_000 + "x",
    "no end": "please subscribe and like " * 7_600 + "x",
    "credits": "subtitles by " * 15_000,
    "prompt": "Names that may be spoken: " + "J. " * 60_000,
    "nearly a loop": ("a " * 6 + "b ") * 14_000,
    "long words": words(20_000),
    "thai": "ก" * 200_000,
    "notes": "♪a" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_judged_in_the_time_of_a_long_one(name):
    text = HOSTILE[name][:200_000]
    started = time.process_time()
    judge(text, 60, ["en"], ["en"], no_speech_probability=0.1)
    assert time.process_time() - started < 5


# --- Names that the model was told to listen for -----------------------------------------------------------------

SQUAD = ("Niamh Kelly", "Aoife Ryan", "Seán Ó Sé", "Ciara O'Brien")


@pytest.mark.parametrize(
    "text",
    [
        "Niamh Kelly, Aoife Ryan, Seán Ó Sé, Ciara O'Brien",
        "niamh kelly and aoife ryan agus ciara o\u2019brien",
        "Aoife. Niamh! Ryan? Kelly; Niamh",
        "Niamh Kelly, Aoife Ryan or [inaudible] Seán Ó Sé",
        "Niamh Kelly. " * 30,
    ],
)
def test_nothing_but_names_that_were_offered_is_no_speech(text):
    judged = judge(text, 20, offered_names=SQUAD)
    assert (judged.verdict, judged.reasons[-1]) == (Verdict.NO_SPEECH, "names_read_back")
    assert "names_read_back" not in judge(text, 20).reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Niamh Kelly, Aoife Ryan and Ciara O'Brien trained well tonight", flagged("names_read_back")),
        ("Niamh Kelly and Aoife Ryan were late", GOOD),  # fewer than eight words
        ("Niamh Kelly, Aoife Ryan and Ciara trained very well tonight", GOOD),  # five of nine
        ("Niamh Kelly, Aoife Ryan and Ciara O'Brien trained very well tonight", GOOD),  # six of ten: no more than 60 %
        ("Grace Byrne, Hope Daly, Rose Nolan, Mark Burke", GOOD),  # names that nobody offered
    ],
)
def test_more_names_than_words_about_them_are_doubted(text, expected):
    assert judge(text, 20, offered_names=SQUAD) == expected


def test_what_is_typed_may_be_a_list_of_names():
    assert judge(", ".join(SQUAD), typed=True, offered_names=SQUAD) == GOOD


@pytest.mark.parametrize("text", ["Niamh Kelly, ", "and ", "Niamh was ", "'", "\n"])
def test_many_names_in_a_long_text_take_no_time(text):
    squad = [f"Niamh{number} Kelly{number}" for number in range(1_000)]
    started = time.process_time()
    judge(text * 20_000, 600, offered_names=squad)
    assert time.process_time() - started < 5
