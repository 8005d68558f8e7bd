"""Languages under one name each: models tell "en", "eng", "en-IE" or "english"."""

from collections.abc import Iterable

# A language a row: its code first, then everything else that it is called.
TABLE = """
af afr afrikaans, am amh amharic, ar ara arabic, as asm assamese, az aze azerbaijani, ba bak bashkir, be bel
belarusian, bg bul bulgarian, bn ben bengali, bo bod tibetan, br bre breton, bs bos bosnian, ca cat catalan valencian,
cs ces cze czech, cy cym wel welsh, da dan danish, de deu ger german, el ell gre greek, en eng english, es spa spanish
castilian, et est estonian, eu eus basque, fa fas per persian, fi fin finnish, fo fao faroese, fr fra fre french, ga
gle irish gaeilge gaelic, gd gla scottish, gl glg galician, gu guj gujarati, ha hau hausa, haw hawaiian, he heb iw
hebrew, hi hin hindi, hr hrv croatian, ht hat haitian, hu hun hungarian, hy hye armenian, id ind indonesian, is isl
icelandic, it ita italian, ja jpn japanese, jw jv jav javanese, ka kat georgian, kk kaz kazakh, km khm khmer, kn kan
kannada, ko kor korean, la lat latin, lb ltz luxembourgish letzeburgesch, ln lin lingala, lo lao, lt lit lithuanian,
lv lav latvian, mg mlg malagasy, mi mri maori, mk mkd macedonian, ml mal malayalam, mn mon mongolian, mr mar marathi,
ms msa malay, mt mlt maltese, my mya myanmar burmese, ne nep nepali, nl nld dut dutch flemish, nn nno nynorsk, no nor
nb nob norwegian, oc oci occitan, pa pan panjabi punjabi, pl pol polish, ps pus pashto pushto, pt por portuguese, ro
ron rum romanian moldavian moldovan, ru rus russian, sa san sanskrit, sd snd sindhi, si sin sinhala sinhalese, sk slk
slovak, sl slv slovenian, sn sna shona, so som somali, sq sqi albanian, sr srp serbian, su sun sundanese, sv swe
swedish, sw swa swahili, ta tam tamil, te tel telugu, tg tgk tajik, th tha thai, tk tuk turkmen, tl tgl fil tagalog
filipino, tr tur turkish, tt tat tatar, uk ukr ukrainian, ur urd urdu, uz uzb uzbek, vi vie vietnamese, yi yid
yiddish, yo yor yoruba, yue cantonese, zh zho chi chinese mandarin
"""
CODES = {name: row.split()[0] for row in TABLE.split(",") for name in row.split()}
# What says nothing of the language: not known, several, no words at all.
SAYS_NOTHING = frozenset({"", "und", "unknown", "auto", "mul", "zxx", "mis", "none", "null", "nospeech"})


def language_code(told: str) -> str | None:
    """One code a language, however it was told; None when nothing was."""
    plain = told.strip().casefold().replace("_", "-").split("-")[0].strip()
    return None if plain in SAYS_NOTHING else CODES.get(plain, plain)


def is_unexpected(detected: Iterable[str], expected: Iterable[str]) -> bool:
    """Whether none of the languages heard is one of the club's; a few words of another one do no harm."""
    heard = {code for told in detected if (code := language_code(told))}
    usual = {code for told in expected if (code := language_code(told))}
    return bool(heard and usual) and heard.isdisjoint(usual)
