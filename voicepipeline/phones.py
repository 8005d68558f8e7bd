"""Phone numbers as they are compared."""

import re


def normalised(phone: str) -> str:
    """Digits alone, in international form: spaces, brackets, a leading 00 or + make no difference."""
    written = phone.strip()
    digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", written), flags=re.ASCII)
    return digits.removeprefix("00") if not written.startswith("+") else digits
