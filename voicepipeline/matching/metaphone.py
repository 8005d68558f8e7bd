"""A key that is the same for surnames that sound the same: our own cut of the idea behind Metaphone.

Metaphone drops every vowel but a first one, and then Kelly, Kiely and Coyle are one name, as are Byrne and Breen.
This key keeps where the first vowels stand and roughly which they are.
"""

import re

CONSONANTS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^mac(?=[^aeiou])|^mc|^mag(?=[aeiou])", "mk"),
        (r"^mk[gk]", "mk"),  # McGuire and Maguire
        (r"^(kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"sch|sh|tch|ch(?=[ei])|cz|sz", "x"),
        (r"(?<=[aeiou])gh(?=[aeiou])", "h"),  # Gallagher, Callaghan
        (r"gh|(?<=[aeiou])h", ""),
        (r"ph|v", "f"),
        (r"c(?=[eiy])|(?<=.)z", "s"),
        (r"qu|ck|[cqg]", "k"),
        (r"x(?=[^aeiou]|$)", "x"),
        (r"d", "t"),
        (r"b", "p"),
        (r"th", "t"),
        (r"(?<=[aeiou])w(?=[^aeiou]|$)", ""),
    )
)
VOWELS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(?<=.)e$", ""),
        (r"ee|ea|ie|ei(?=[^l])|i", "I"),
        (r"ei|ai|ay|ey", "E"),
        (r"oo|ou|u", "U"),
        (r"(?<!^)y", "I"),
        (r"[aeo]+", lambda found: found.group()[0].upper()),
    )
)


def metaphone(word: str) -> str:
    """The sound of a word without accents; the vowels after the first syllable count as one."""
    for pattern, sound in CONSONANTS:
        word = pattern.sub(sound, word)
    for pattern, spoken in VOWELS:
        word = pattern.sub(spoken, word)
    word = re.sub(r"([AEIOU])[AEIOUh]+", r"\1", re.sub(r"(.)\1+", r"\1", word))
    first = re.search("[AEIOU]", word)
    if first is None:
        return word
    return word[: first.end()] + re.sub("[AEIOUh]+", "-", word[first.end() :])
