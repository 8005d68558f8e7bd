"""What speech models make up when nobody speaks: the ends of videos, credits, and our own list of names.

They learned from subtitled videos, where silence at the end goes with "Thanks for watching" and who made the subtitles.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
NO_WORD = re.compile(r"[\W_]+")
# One sign at a time, so that a million full stops cost no more than a million letters.
END_OF_SENTENCE = re.compile(r"[.!?\u2026](?=\s|$)|[\u3002\uff01\uff1f\n]")

# Each stands alone: what follows it in the sentence has to be one of these again.
PHRASES = (
    r"(?:thanks|thank you)(?: all| guys| everyone| everybody| so much| very much| again){0,3}"
    r"(?: (?:for|and) (?:watching|listening|viewing|tuning in|joining(?: us| me)?|your (?:attention|time|support)))?"
    r"(?: (?:to )?(?:this|the|my|our) (?:video|episode|channel|podcast|show))?",
    r"(?:please |and |also |make sure (?:to |you )|be sure to |dont forget to |remember to "
    r"|if you (?:liked|enjoyed) this (?:video )?){0,4}"
    r"(?:like|share|comment|subscribe|hit|press|click|ring|turn on|smash)"
    r"(?: (?:and|or|to|like|share|comment|subscribe|hit|press|click|below|on|the|this|my|our|me|us|for|more|videos?"
    r"|channel|button|bell|icon|notifications?|link|thumbs up|in description)){1,12}",
    r"(?:please )?(?:subscribe|like and subscribe)",
    r"(?:i ?ll |well |we will |i will )?see you (?:all |guys )?(?:in the )?(?:next|another) (?:video|one|episode|time)",
    r"(?:well be|i ll be|ill be|be) right back",
    r"(?:bye|bye bye|goodbye|good bye|you|the end|silence|music|applause|to be continued)",
    r"all rights reserved",
    # French, Spanish, Portuguese, Italian, German, Dutch, Polish, Russian, Ukrainian, Irish
    r"merci (?:davoir (?:regardé|écouté)(?: (?:cette|la|ma) vidéo)?|à tous|beaucoup)(?: et à bientôt)?",
    r"(?:muchas )?gracias por (?:ver|mirar|escuchar)(?: (?:el|este|mi) v[ií]deo)?(?: y hasta la próxima)?",
    r"suscr[ií]b(?:ete|ase|anse)(?: al| a mi)?(?: canal)?",
    r"obrigad[oa] por (?:assistir|ver)(?: (?:o|este) v[ií]deo)?",
    r"grazie (?:a tutti )?(?:per la visione|per aver guardato(?: il video)?)",
    r"(?:vielen )?dank (?:fürs|für das|für die) (?:zuschauen|zusehen|zuhören|aufmerksamkeit)",
    r"bis (?:zum nächsten mal|bald)|tschüss",
    r"bedankt voor het (?:kijken|luisteren)",
    r"(?:dziękuję|dzięki|dziękujemy) za (?:uwagę|oglądanie|obejrzenie)(?: filmu)?",
    r"спасибо за (?:просмотр|внимание)|продолжение следует|подписывайтесь на (?:мой |наш )?канал",
    r"дякую за (?:перегляд|увагу)",
    r"go raibh maith (?:agat|agaibh)(?: as (?:féachaint|éisteacht))?",
    # Japanese, Korean, Chinese: written without spaces, or with few
    r"ご視聴ありがとうございま(?:した|す)|最後までご視聴ありがとうございました|チャンネル登録(?:を)?(?:よろしく)?お願いします",
    r"(?:시청해\s?주셔서|봐주셔서) 감사합니다|구독과? 좋아요(?: 부탁드립니다)?",
    r"(?:谢谢|謝謝|感谢)(?:大家|您的)?(?:观看|收看|觀看|收聽|收听)?",
    r"请不吝点赞(?: 订阅| 转发| 打赏支持明镜与点点栏目){0,3}",
    # Last, because longer phrases begin with these.
    r"(?:um+|uh+|h+m+|mm+|ah+|oh+|okay|ok|so|and|guys|everyone|all|yeah)",
)
# Whoever is named after these belongs to them, up to the end of the sentence.
CREDITS = (
    r"(?:(?:english|closed) )?(?:subtitles?|subtitled|subtitling|captions?|captioned|captioning|transcript|transcripts"
    r"|transcription|transcribed|translation|translated|synced|sync)"
    r"(?: (?:and|corrections?|corrected|created|made|provided|translated|transcribed|subtitled|captioned)){0,4}"
    r" (?:by|for|from|courtesy of)",
    r"(?:sous titres|sous titrage|untertitel|untertitelung|subt[ií]tulos|legendas|sottotitoli|napisy|titulky|ondertitel"
    r"|ondertitels|ondertiteling|ondertiteld|undertexter|undertekster|tekstet|tekstitys|feliratok?|субтитры|субтитри"
    r"|редактор субтитров|字幕\w*)",
    r"(?:copyright|www|https?)",
    r"mbc 뉴스",
)
CREDIT_WORDS = 8
# How the request begins that carries the names to listen for: models repeat it when they hear nothing.
OUR_PROMPT = r"names that may be spoken"
# What stands between the names of a list.
BETWEEN_NAMES = frozenset({"and", "or", "agus"})
# A coach who names everybody at training says who came; of fewer words than these a name or two is no surprise.
FEWEST_TO_SHARE = 8
MOSTLY_NAMES = 0.6

PHRASE = re.compile(rf"(?:{'|'.join(PHRASES)})(?: |$)")
CREDIT = re.compile(rf"(?<!\w)(?:{'|'.join(CREDITS)})(?!\w)")
PROMPT = re.compile(rf"{OUR_PROMPT}(?: |$)")


def only_inventions(text: str) -> bool:
    """Whether nothing but such phrases is there, however often they are repeated."""
    sentences = [sentence for part in END_OF_SENTENCE.split(text) if (sentence := _plain(part))]
    return bool(sentences) and (repeats_our_prompt(text, whole=True) or all(map(_is_invented, sentences)))


def repeats_our_prompt(text: str, *, whole: bool = False) -> bool:
    """Whether it begins with our list of names; as a whole, when no sentence follows the list."""
    begins = PROMPT.match(_plain(text[:200])) is not None
    # An initial has a full stop as well ("J. Murphy"): only something longer before it ends the list.
    return begins and not (whole and re.search(r"\w{2}[.!?]\s+\S", text))


def is_names_read_back(text: str, offered_names: Iterable[str]) -> bool:
    """Whether nothing is there but parts of the names that the model was told to listen for."""
    offered, words = _offered_words(text, offered_names)
    return offered > 0 and offered == words


def is_mostly_names(text: str, offered_names: Iterable[str]) -> bool:
    """Whether so many of the words are such names that hardly anything is said about anybody."""
    offered, words = _offered_words(text, offered_names)
    return words >= FEWEST_TO_SHARE and offered > words * MOSTLY_NAMES


def _offered_words(text: str, offered_names: Iterable[str]) -> tuple[int, int]:
    """How many words are parts of these names, and how many there are besides what joins a list."""
    parts = {word for name in offered_names for word in _plain(name).split()}
    words = [word for word in _plain(text).split() if word in parts or word not in BETWEEN_NAMES]
    return sum(word in parts for word in words), len(words)


def _is_invented(sentence: str) -> bool:
    """Phrases first, if any, then credits with whom they name."""
    begin = [found.start() for found in CREDIT.finditer(sentence)]
    named = (CREDIT.sub("", sentence[at:end], count=1) for at, end in pairwise([*begin, len(sentence)]))
    before = sentence[: begin[0]] if begin else sentence
    return _are_phrases(before) and all(len(words.split()) <= CREDIT_WORDS for words in named)


def _are_phrases(words: str) -> bool:
    at = 0
    while at < len(words):
        found = PHRASE.match(words, at)
        if found is None:
            return False
        at = found.end()
    return True


def _plain(text: str) -> str:
    """Small letters and single spaces; apostrophes gone, everything else that is no word a space."""
    return NO_WORD.sub(" ", APOSTROPHES.sub("", text.casefold()).replace("\u00a9", " copyright ")).strip()
