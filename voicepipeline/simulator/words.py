"""The key words by which the simulated model tells topics, feelings, groups and times. Earlier topics win."""

import re

TOPICS: tuple[tuple[str, str], ...] = (
    ("injury", r"injur\w*|knock|strain\w*|sprain\w*|concuss\w*|dizzy|bleed\w*|broke|fractur\w*|hurt|limp\w*|sore"),
    ("recovery", r"recover\w*|rehab\w*|back running|physio|return to play|light training|no pain"),
    ("wellbeing", r"worried|down in \w+self|upset|anxious|stress\w*|cry\w*|tears|bull\w+|lonely|sleep\w*|mood"),
    ("attendance", r"absent|missed training|missing|late|did not turn up|didn't turn up|attend\w*|no show"),
    ("behavior", r"messing|disrespect\w*|gave out|argu\w*|sent off|sulk\w*|behav\w*|sit \w+ out"),
    ("parent_communication", r"mother|father|mam|dad|parents?|guardian"),
    ("session_plan", r"next session|session plan|next week's session|for the next|small-sided|drill list"),
    ("todo", r"i must|i need to|we need to|remind me|to do|have to ring|book the|order the"),
    ("development_milestone", r"first (?:senior )?(?:start|goal|cap|match)|milestone|debut|personal best|captain"),
    ("physical_development", r"grown|taller|stronger|faster|fitter|fitness|speed"),
    ("skill_rating", r"(?:one|two|three|four|five|[1-5]) out of (?:five|5)"),
    ("skill_progress", r"improv\w*|progress\w*|getting better|coming on|better at"),
    ("tactical", r"too deep|press\w*|kick-?outs?|formation|shape|mark\w*|tactic\w*|positioning"),
    ("team_culture", r"attitude|spirit|energy|together|leadership|morale|culture"),
    (
        "performance",
        r"excellent|brilliant|great|good|well|best|poor\w*|flat|scored|missed|outstanding|played|performance|struggl\w*",
    ),
)
FEELINGS: tuple[tuple[str, str], ...] = (
    ("concerned", r"worried|concern\w*|concuss\w*|dizzy|down in \w+self|careful"),
    ("negative", r"poor\w*|flat|missed|absent|messing|too deep|struggl\w*|late|argu\w*|disrespect\w*"),
    ("positive", r"excellent|brilliant|great|good|well|best|improv\w*|happy|stronger|no pain|outstanding"),
)
SEVERITIES: tuple[tuple[str, str], ...] = (
    ("critical", r"concuss\w*|ambulance|unconscious|hospital|self-harm"),
    ("high", r"broke\w*|fractur\w*|dizzy|taken off|come off|took \w+ off|very down|bull\w+"),
    ("medium", r"strain\w*|sprain\w*|swollen|worried|upset|anxious"),
)
SKILLS = (
    "first touch",
    "passing",
    "tackling",
    "tackle",
    "shooting",
    "kicking",
    "catching",
    "dribbling",
    "heading",
    "work rate",
    "positioning",
    "soloing",
)
GROUPS = (
    r"the (?:backs|forwards|defence|midfield\w*|goalkeepers|lads|girls|boys|squad|whole squad|group|team)|"
    r"every(?:one|body)"
)
TEAMS = r"(?:the )?(?:under[- ](?:\w+teens?|\w+elves|\d{1,2}s?|nines|tens|elevens)|U\d{1,2}s?|minors|seniors)"
TIMES = (
    r"last (?:week|month|night|\w+day)|next (?:week|session|\w+day)|this (?:week|evening|morning)|tonight|today|"
    r"until \w+day|before the weekend|three sessions in a row"
)
ORDERS = r"\b(?:should|must|needs? to|have to|has to|not to|want)\b"
RATINGS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
# Words that begin with a capital and are nobody's name.
NOT_NAMES = frozenset(
    word
    for line in (
        "I I'm I'll I've I'd The She He They We You It And But For When After Before Her His This That There Our My",
        "Not No Yes Today Tonight Then Also Good Great Quick Spoke Nothing Numbers Everyone Everybody Really Very Well",
        "Okay OK Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July",
        "August September October November December Coach GAA",
    )
    for word in line.split()
)


def first_of(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    """The first row of the table whose words occur in the text."""
    for name, pattern in table:
        if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
            return name
    return None
