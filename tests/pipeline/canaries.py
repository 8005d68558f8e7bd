"""Words that may stand in a note's content and nowhere else, and everywhere that they are looked for."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from tests.factories import make_coach, make_player, make_team
from voicepipeline import logs

SAID = "Quixotella Brunhildebird was excellent tonight. Zephyrmarrow hurt her ankle, ring +353 87 765 4321."
PHONE = "+353877654321"
FILE_NAME = "Filenamia tape.wav"
MESSAGE_ID = "Msgidonia-77"
KEY = "sk-keyonia-zq98765-odd-tail4242"
DATABASE_PASSWORD = "Passwordonia-31337"
# Words of the simulated provider: its errors, its pages, what it makes up.
THEIRS = (
    *("server had an error", "exceeded your current quota", "Incorrect API key", "org-simulated", "Sign in to the"),
    *("Rate limit reached", "does not exist or you do not", "Maximum content size", "Unrecognized file format"),
    *("might be corrupted", "maximum context length", "Zebulon", "Quartermaine", "req_sim_hostile"),
)
NAMES = ("Quixotella", "Brunhildebird", "Coachonia", "Birdsong")
SECRETS = (
    *NAMES,
    *("Zephyrmarrow", "hurt her ankle", "excellent tonight"),
    *("765 4321", "7654321", "Filenamia", "Msgidonia", "keyonia", "zq98765", "tail4242", "Passwordonia"),
    *THEIRS,
)

# Where content belongs: what was sent, what was made of it, whom it is about, and who may sign in.
OF_CONTENT = frozenset(
    {"VoiceNote", "Transcript", "Claim", "EntityResolution", "NameChoice", "InsightDraft", "PlayerAlias"}
    | {"Coach", "Player", "Team", "Organization", "User"}
)
# Sections of a note's page that show it.
SHOWS_CONTENT = re.compile(
    r'<section[^>]*aria-labelledby="(?:transcript|statements|entries)-title".*?</section>|<dl class="vp-facts.*?</dl>',
    re.DOTALL,
)


def found_in(text: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    lowered = text.lower()
    return [secret for secret in secrets if secret.lower() in lowered]


def make_people():
    """A coach with a phone, and a player whom the notes name."""
    team = make_team()
    coach = make_coach(organization=team.organization, first_name="Coachonia", last_name="Birdsong", phone=PHONE)
    coach.teams.add(team)
    make_player(organization=team.organization, team=team, first_name="Quixotella", last_name="Brunhildebird")
    return coach


class Lines:
    """Everything that is logged, in both of our styles."""

    def __init__(self) -> None:
        self._streams = {style: io.StringIO() for style in ("json", "text")}

    def text(self) -> str:
        return "".join(stream.getvalue() for stream in self._streams.values())

    def count(self) -> int:
        return self._streams["json"].getvalue().count("\n")

    @contextlib.contextmanager
    def listening(self, level: int, **levels: int) -> Iterator["Lines"]:
        """The root logger at this level, and these libraries at theirs; what is on the way out goes on."""
        handlers = []
        for style, stream in self._streams.items():
            handler = logging.StreamHandler(stream)
            handler.setFormatter(logs.formatter(style))
            handlers.append(handler)
        root = logging.getLogger()
        before = {name: logging.getLogger(name).level for name in levels}
        was = root.level
        root.setLevel(level)
        for name, wanted in levels.items():
            logging.getLogger(name).setLevel(wanted)
        root.handlers.extend(handlers)
        try:
            yield self
        finally:
            for handler in handlers:
                root.removeHandler(handler)
                handler.close()
            root.setLevel(was)
            for name, wanted in before.items():
                logging.getLogger(name).setLevel(wanted)


def tables() -> list[str]:
    """Every table but those of content."""
    kept = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    content = {model._meta.db_table for model in apps.get_models() if model.__name__ in OF_CONTENT}
    names = set(connection.introspection.table_names()) | kept
    return sorted(names - content)


def rows() -> dict[str, str]:
    """What stands in these tables, as text; what django-q has packed is unpacked."""
    parts = [f"SELECT '{name}', row.*::text FROM \"{name}\" AS row" for name in tables()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        told: dict[str, str] = {}
        for name, row in cursor.fetchall():
            told[name] = f"{told.get(name, '')}\n{row}"
    told["bells"] = repr([SignedPackage.loads(bell.payload) for bell in OrmQ.objects.all()])
    told["jobs"] = repr(list(Task.objects.values()))
    return told


def leaks_in_rows() -> dict[str, list[str]]:
    return {name: leaks for name, text in rows().items() if (leaks := found_in(text))}


def outside_content(page: str) -> str:
    """A note's page without the sections that show what was said and by whom."""
    return SHOWS_CONTENT.sub("", page)
