"""Irish names spelt the way an English ear hears them.

Irish spelling is regular, but it is not English spelling: mh and bh are v, a slender s is sh, and half of the
vowels only say whether their neighbour is broad or slender. The rules run in order, on words without accents.
"""

import re

GAELIC = tuple(
    (re.compile(pattern), spoken)
    for pattern, spoken in (
        # Clusters that are heard as something else altogether.
        (r"adhbh", "yv"),  # Sadhbh: Sive
        (r"adhg", "yg"),  # Tadhg: Tige
        (r"^eogha|^eoi", "owe"),  # Eoghan, Eoin: Owen
        (r"^ruai(dh)?ri", "rory"),
        (r"^aodh(?=a)", "aid"),  # Aodhán: Aidan
        (r"iodh(?=n)", "ee"),  # Clíodhna: Cleena
        (r"thn", "n"),  # Bláthnaid: Blawnid
        (r"aoimh", "eev"),  # Caoimhe: Keeva
        (r"iamh", "eev"),  # Niamh: Neev
        (r"iobh", "iv"),  # Siobhán: Shivawn
        (r"eabh(?=a)", "av"),  # Éabha: Ava
        (r"eabh", "ave"),  # Méabh: Mave
        (r"a[bm]h(?=[rln])", "ow"),  # Labhraí, Samhradh
        (r"inn?e$", "onya"),  # Gráinne, Áine: Gronya, Awnya
        # Lenited consonants.
        (r"[bm]h", "v"),
        (r"dh$|gh$", ""),
        (r"(?<=[aeiou])[dg]h(?=[aeiou])", ""),  # Fearghal keeps its g after the r
        (r"[dg]h", "g"),
        (r"fh", ""),
        (r"ph", "f"),
        (r"(?<=.)th", "h"),  # Cathal: Cahal
        (r"(?<=[aeiou])ch(?=[aeiou])", "h"),  # Micheál: Meehawl
        (r"ch", "k"),  # Fiachra: Feekra
        (r"c", "k"),  # always hard: Cian, Ciara
        # A slender s.
        (r"s(?=[ei])", "sh"),  # Seán, Róisín, Saoirse
        (r"(?<=i)s(?=[ln]|$)", "sh"),  # Aisling, Pilis
        # Vowels.
        (r"aoi|ao", "ee"),  # Saoirse, Naoise
        (r"eoi|eo", "o"),
        (r"uai|ua", "oo"),
        (r"iai|ia(?=.)", "ee"),  # Fiachra, Diarmuid, but Fia
        (r"io", "i"),  # Fionn, Siofra
        (r"iu|ui", "i"),  # Muireann, Súilleabháin
        (r"oi(?=[^aeiou]*e)", "i"),  # Doireann
        (r"oi", "o"),  # Róisín, Oisín
        (r"eai|ea", "a"),  # Seán, Dearbhla, Micheál
        (r"^ei", "ee"),  # Eimear
        (r"ei", "e"),
        (r"ai(?=.{2})", "a"),  # Ailbhe, Aisling, Caitríona
        (r"ai", "i"),  # Pádraig, Sinead's Bláthnaid
        (r"(?<=[^aeiou])e$", "a"),  # Caoimhe, Ailbhe, Naoise
    )
)

# Ways of writing the same sound in English; both sides of a comparison go through these.
ENGLISH = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"^kn|^gn", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"ough|augh", "o"),
        (r"igh", "y"),
        (r"(?<=[aeiou])h(?=[^aeiou]|$)", ""),
        (r"gh", "g"),
        (r"qu|kw|ck", "k"),
        (r"x", "ks"),
        (r"c(?=[ei])", "s"),
        (r"sh|ch|sch", "x"),
        (r"c", "k"),
        (r"ph", "f"),
        (r"e([bdfgklmnprstvz])e$", r"i\1"),  # Neve
        (r"a([bdfgklmnprstvz])e$", r"e\1"),  # Maeve as Mave
        (r"i([bdfgklmnprstvz])e$", r"y\1"),  # Sive, Tige
        (r"([bdfgklmnprstvwz])e$", r"\1"),
        (r"aigh|ai|ay|ae|ey", "e"),
        (r"aw|au", "a"),
        (r"ee|ea|ie", "i"),
        (r"ou|oo|ue", "u"),
        (r"oa|ow", "o"),
        (r"(?<=.)y$", "i"),
        (r"(?<=.)z", "s"),  # Susanna is not Zuzanna
        (r"(.)\1+", r"\1"),
    )
)


def as_heard(word: str) -> str:
    """One spelling for each sound of an English ear."""
    for pattern, written in ENGLISH:
        word = pattern.sub(written, word)
    return word


def respelled(word: str) -> str:
    """An Irish word as an English ear would write it, in the spelling of `as_heard`."""
    for pattern, spoken in GAELIC:
        word = pattern.sub(spoken, word)
    return as_heard(word)
