import pytest

from voicepipeline.ai.endpoint import Capabilities
from voicepipeline.ai.hearing import MAX_PROMPT_CHARACTERS, clean_keywords, parameters
from voicepipeline.ai.uploads import upload_extension


@pytest.mark.parametrize(
    ("given", "sent"),
    [("ogg", "ogg"), (".OGA", "ogg"), ("opus", "ogg"), (".wav", "wav"), ("m4a", "m4a"), ("aiff", None), ("", None)],
)
def test_the_extension_that_the_provider_accepts(given, sent):
    assert upload_extension(given) == sent


def test_keywords_are_clean_and_each_there_once():
    assert clean_keywords(["Niamh\r\nKelly", "<Aoife>", "Aoife", "  ", "x" * 200]) == ["Niamh Kelly", "Aoife", "x" * 80]


def test_names_go_into_the_prompt_of_a_model_without_keywords_as_far_as_it_listens():
    names = [f"Player Number{number}" for number in range(200)]
    asked = parameters(Capabilities(prompt=True), names=names, languages=["en", "ga"])
    assert len(asked["prompt"]) < MAX_PROMPT_CHARACTERS + 40
    assert asked["prompt"].startswith("Names that may be spoken: Player Number0, ")
    assert "language" not in asked


def test_a_model_that_can_do_nothing_more_is_asked_for_nothing_more():
    asked = parameters(Capabilities(), names=["Niamh"], languages=["en", "ga"])
    assert asked == {"response_format": "json"}


def test_one_language_is_told_to_a_model_that_takes_one():
    assert parameters(Capabilities(), names=[], languages=["ga"])["language"] == "ga"
