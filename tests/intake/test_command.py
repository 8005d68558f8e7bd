"""`ingest_voice_notes`: what it prints for each file, and how it ends."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_club, make_coach
from tests.intake.helpers import files, recording
from voicepipeline.models import Artifact, VoiceNote

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+353 86 000 0001"


@pytest.fixture
def coach():
    return make_coach(organization=make_club(name="Ballina Rovers", slug="ballina"), phone="+353860000001")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def ingest(*paths, **options):
    """The lines that were printed, and the exit code."""
    options = {"organization": "ballina", "coach": PHONE, **options}
    out, code = io.StringIO(), 0
    try:
        call_command("ingest_voice_notes", *map(str, paths), stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as ended:
        code = ended.code
    return out.getvalue().splitlines(), code


def put(path, content=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(recording() if content is None else content)
    return path


def test_a_folder_is_taken_in_sorted_with_what_is_below_it(folder, coach, media):
    for name in ("b.wav", "a/z.wav", "a/b/c.wav", "c.wav"):
        put(folder / name)
    lines, code = ingest(folder)
    assert [line.split(": ")[0] for line in lines[:-1]] == [
        str(folder / name) for name in ("a/b/c.wav", "a/z.wav", "b.wav", "c.wav")
    ]
    assert (lines[-1], code) == ("4 accepted", 0)
    assert len(files(media)) == 4
    assert {artifact.sender for artifact in Artifact.objects.all()} == {coach}


def test_each_file_is_told_as_one_json_object(folder, coach):
    content = recording()
    put(folder / "1.wav", content)
    put(folder / "2.wav", content)
    put(folder / "3.mp3", b"<html>")
    lines, code = ingest(folder, json=True)
    first, second, third = map(json.loads, lines)
    note = str(Artifact.objects.get().artifact_id)
    assert (first["result"], first["artifact_id"], first["code"]) == ("accepted", note, "")
    assert (second["result"], second["artifact_id"]) == ("duplicate", note)
    assert (third["result"], third["artifact_id"], third["code"]) == ("refused", None, "web_page")
    assert third["path"] == str(folder / "3.mp3")
    assert code == 1


def test_lines_for_people_say_the_same(folder, coach):
    content = recording()
    lines, _ = ingest(put(folder / "1.wav", content), put(folder / "2.wav", content), put(folder / "3.mp3", b""))
    note = Artifact.objects.get().artifact_id
    assert lines == [
        f"{folder}/1.wav: accepted as {note}",
        f"{folder}/2.wav: received before, as {note}",
        f"{folder}/3.mp3: refused: The file is empty. Record it again, or send the file again.",
        "1 accepted, 1 received before, 1 refused",
    ]


@pytest.mark.parametrize(
    ("contents", "code"),
    [(["good", "good"], 0), (["same", "same"], 0), (["good", "bad"], 1), (["bad", "bad"], 2), (["bad"], 2)],
)
def test_the_exit_code_says_how_much_was_taken(folder, coach, contents, code):
    same = recording("The same.")
    for number, kind in enumerate(contents):
        put(folder / f"{number}.wav", {"good": None, "same": same, "bad": b"no"}[kind])
    assert ingest(folder)[1] == code


def test_taking_the_same_folder_in_again_adds_nothing(folder, coach, media):
    put(folder / "1.wav")
    put(folder / "2.wav")
    ingest(folder)
    lines, code = ingest(folder)
    assert (lines[-1], code) == ("2 received before", 0)
    assert len(files(media)) == VoiceNote.objects.count() == 2


def test_the_channel_can_be_named(folder, coach):
    ingest(put(folder / "1.wav"), channel="voicemail")
    assert Artifact.objects.get().source_channel == "voicemail"


@pytest.fixture
def database_fails_after():
    """Makes the database refuse every note beyond so many, as one whose disk is full does."""

    def fail_after(most):
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION refuse_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF (SELECT count(*) FROM voicepipeline_voicenote) >= {int(most)} THEN "
                "RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER refuse_note BEFORE INSERT ON voicepipeline_voicenote "
                "FOR EACH ROW EXECUTE FUNCTION refuse_note()"
            )

    yield fail_after
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS refuse_note() CASCADE")


@pytest.mark.parametrize(("most", "code", "summary"), [(1, 1, "1 accepted, 1 refused, 2 not tried"), (0, 2, "")])
def test_a_database_that_fails_ends_it_in_a_sentence(folder, coach, database_fails_after, most, code, summary):
    for number in range(4):
        put(folder / f"{number}.wav")
    database_fails_after(most)
    lines, ended = ingest(folder)
    assert ended == code
    assert lines[most].startswith(f"{folder}/{most}.wav: refused: The database failed, so it is not certain that")
    assert lines[-1] == (summary or "1 refused, 3 not tried")
    assert "no space left" not in "".join(lines)
    assert len(lines) == most + 2


def test_a_database_that_fails_is_told_in_json(folder, coach, database_fails_after):
    put(folder / "1.wav")
    put(folder / "2.wav")
    database_fails_after(0)
    lines, _ = ingest(folder, json=True)
    (told,) = map(json.loads, lines)
    assert (told["result"], told["artifact_id"], told["code"]) == ("refused", None, "not_stored")


@pytest.mark.parametrize("phone", ["+353860000001", "00353 86 000 0001", "+353 (0)86 000-0001", "353860000001"])
def test_a_phone_is_compared_by_its_digits(folder, coach, phone):
    assert ingest(put(folder / "1.wav"), coach=phone)[1] == 0


def test_links_in_a_folder_lead_nowhere_and_hidden_files_are_left_alone(folder, coach, tmp_path):
    outside = put(tmp_path / "outside" / "secret.wav")
    (folder / "link.wav").symlink_to(outside)
    (folder / "link").symlink_to(outside.parent)
    (folder / "circle").symlink_to(folder)
    put(folder / ".DS_Store", b"x")
    put(folder / "own.wav")
    lines, _ = ingest(folder)
    assert lines[-1] == "1 accepted"


@pytest.mark.parametrize(
    ("name", "why"), [("nowhere.wav", "There is no such file."), ("a\x00b.wav", "There is no such file.")]
)
def test_a_file_that_cannot_be_read_is_refused_like_any_other(folder, coach, name, why):
    good = put(folder / "good.wav")
    lines, code = ingest(folder / name, good)
    assert why in lines[0]
    assert (lines[-1], code) == ("1 accepted, 1 refused", 1)


def test_a_name_cannot_act_on_the_terminal(folder, coach):
    lines, _ = ingest(put(folder / "a\x1b[2Jb\n.wav"))
    assert lines[0].startswith(f"{folder}/a�[2Jb�.wav: accepted")


def refusal(*paths, **options):
    with pytest.raises(CommandError) as refused:
        ingest(*paths, **options)
    assert refused.value.returncode == 2
    assert not VoiceNote.objects.exists()
    return str(refused.value)


def test_an_unknown_club_is_told_with_those_there_are(folder, coach):
    message = refusal(put(folder / "1.wav"), organization="balina")
    assert message == (
        "There is no club with the slug 'balina'. The clubs are ballina. "
        "Clubs are added in the back office under Clubs."
    )


def test_an_unknown_coach_is_told_with_those_of_the_club(folder, coach):
    make_coach(phone="+353869999999")
    message = refusal(put(folder / "1.wav"), coach="+353869999999")
    assert message == (
        "Ballina Rovers has no coach with the phone +353869999999. Its coaches are Niamh Byrne +353860000001. "
        "Coaches are added in the back office under Coaches."
    )


def test_without_any_coach_or_club_it_says_where_to_add_one(folder):
    assert "There is none yet." in refusal(put(folder / "1.wav"))
    make_club(slug="ballina")
    assert "There is none yet." in refusal(folder / "1.wav")


def test_a_coach_without_a_phone_is_not_found_by_an_empty_one(folder, coach):
    make_coach(organization=coach.organization, phone="")
    assert "no coach with the phone" in refusal(put(folder / "1.wav"), coach="")


@pytest.mark.parametrize("who", ["coach", "club"])
def test_who_is_switched_off_sends_nothing(folder, coach, who):
    row = coach if who == "coach" else coach.organization
    row.is_active = False
    row.save()
    assert "is switched off" in refusal(put(folder / "1.wav"))


def test_an_empty_folder_is_told(folder, coach):
    assert refusal(folder) == "There is no file in what you named."


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_a_bar_that_is_gone_when_it_is_done(folder, coach):
    shown = Terminal()
    for number in range(4):
        put(folder / f"{number}.wav")
    call_command(
        "ingest_voice_notes", str(folder), organization="ballina", coach=PHONE, stdout=io.StringIO(), stderr=shown
    )
    assert "[############            ] 2 of 4" in shown.getvalue()
    assert shown.getvalue().endswith("\r\x1b[K")
