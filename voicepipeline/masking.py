"""What people see of what notes say: all of it, or nothing but initials, by their right to read."""

import re
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from voicepipeline.access import may_read_content
from voicepipeline.models import User

HIDDEN = "Hidden"
NOTICE = "What it says is hidden: your account may not read content. An administrator can change that."
NAMES_NOTICE = (
    "Names are shown as initials and cannot be searched for: your account may not read content. "
    "An administrator can change that."
)
DIGITS_SHOWN = 2
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Eyes:
    """Somebody who looks at a page; give every word of a note and every name of a player through them."""

    read: bool

    def text(self, said: str) -> str:
        """What was said or made of it; hidden from those who may not read."""
        return said if self.read or not said else HIDDEN

    def name(self, name: object) -> str:
        """Somebody's name, or the initials of it."""
        return str(name) if self.read else initials(str(name)) or HIDDEN

    def phone(self, number: str) -> str:
        """A phone number, or no more than tells two of them apart."""
        return number if self.read or not number else f"••• {number[-DIGITS_SHOWN:]}"


def eyes_of(user: User | AnonymousUser) -> Eyes:
    return Eyes(may_read_content(user))


def initials(name: str) -> str:
    """The first letter of each word, such as N. B.; nothing else of the name can be told from it."""
    letters = (LETTER.search(word) for word in name.split())
    return " ".join(f"{found[0].upper()}." for found in letters if found)
