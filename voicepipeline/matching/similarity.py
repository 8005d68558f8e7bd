"""How alike two words are letter by letter: Jaro's measure with Winkler's bonus for a common beginning."""

BONUS_FROM = 0.7
BONUS_A_LETTER = 0.1
BONUS_LETTERS = 4


def jaro_winkler(one: str, other: str) -> float:
    """From 0 for nothing in common to 100 for the same word."""
    if one == other:
        return 100.0 if one else 0.0
    # Which letters are paired may hang on who comes first, so there is one order.
    if (len(one), one) > (len(other), other):
        one, other = other, one
    jaro = _jaro(one, other)
    if jaro < BONUS_FROM:
        return 100 * jaro
    common = 0
    for left, right in zip(one[:BONUS_LETTERS], other, strict=False):
        if left != right:
            break
        common += 1
    return 100 * (jaro + common * BONUS_A_LETTER * (1 - jaro))


def _jaro(short: str, long: str) -> float:
    window = max(len(long) // 2 - 1, 0)
    left = long
    matched = ""
    taken: list[int] = []
    for place, letter in enumerate(short):
        at = left.find(letter, place - window if place > window else 0, place + window + 1)
        if at >= 0:
            left = f"{left[:at]} {left[at + 1 :]}"
            matched += letter
            taken.append(at)
    if not matched:
        return 0.0
    taken.sort()
    out_of_place = sum([letter != long[at] for letter, at in zip(matched, taken, strict=True)]) // 2
    same = len(matched)
    return (same / len(short) + same / len(long) + (same - out_of_place) / same) / 3
