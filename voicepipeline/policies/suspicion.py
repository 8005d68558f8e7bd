"""Whether a note speaks to a machine instead of about players. It is processed all the same, and a person looks at it.

What stands between such words and the club's records is not this list: ids are checked, quotes are checked, pages
escape what they show. But a rule that confirms entries by itself must not trust a model that was told what to say.
"""

import re

MARKUP = re.compile(
    r"<\s*[/!?a-z|]|&(?:lt|gt|#\d+|#x[0-9a-f]+);|%3c|\{\{|\{%|[$#]\{|javascript:|https?://|\]\(|[{[]\s*\"|\bon[a-z]{3,12}\s*=|[\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)
TO_A_MODEL = re.compile(
    r"""
    \b(?:
        (?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){0,3}
            (?:instructions?|rules?|prompts?|schemas?|transcripts?|system)
      | (?:previous|prior|above|system)\s+(?:instructions?|prompts?|messages?|override)
      | (?:admin|system|developer)\s+(?:override|mode|prompt|message)
      | (?:return|output|respond\s+with|answer\s+with)\s+(?:\w+\s+){0,4}(?:json|ids|prompt|roster|confidence|sql)
      | roster[\s_]ids? | confidence\s+(?:of\s+|to\s+|is\s+)?(?:\d|one\s+hundred|a\s+hundred|maximum|full)
      | you\s+(?:must|are)\s+(?:\w+\s+){0,2}(?:output|respond|return|model|assistant|machine)
      | (?:transcript|language\s+model|prompt)\s{0,3}[.:,]?\s{1,3}(?:write|say|return|output)
    )\b
    | (?:^|[.\n])\s{0,3}(?:system|assistant|instructions?|override)\s{0,3}: | \[/?inst\]
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Many spaces mean no more than two, and a search that may begin at each of them would take for ever.
LONG_GAP = re.compile(r"\s{3,}")
LONGEST_READ = 200_000


def speaks_to_machine(text: str) -> bool:
    """Markup, templates, addresses and orders to a model: nothing that a coach says about a player."""
    read = LONG_GAP.sub(lambda gap: " \n" if "\n" in gap.group() else "  ", text)[:LONGEST_READ]
    return bool(MARKUP.search(read) or TO_A_MODEL.search(read))
