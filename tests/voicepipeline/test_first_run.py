import pytest
from django.core.management import call_command

from voicepipeline import roles
from voicepipeline.models import User
from voicepipeline.operations import first_run
from voicepipeline.operations.first_run import DEMO_ACCOUNTS
from voicepipeline.refusals import StartError

pytestmark = pytest.mark.django_db


def set_up(capsys, *arguments: str) -> list[str]:
    """The notes that the command leaves for the person at the terminal."""
    call_command("set_up", *arguments)
    return [line.removeprefix("» ") for line in capsys.readouterr().out.splitlines() if line.startswith("» ")]


def test_an_empty_database_gets_an_administrator_who_can_sign_in():
    account = first_run.create_first_administrator()
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.is_platform_staff) == ("admin", True, True)
    assert user.check_password(account.password)
    assert {group.name for group in user.groups.all()} == {roles.ADMINISTRATOR, roles.CONTENT_READER}


def test_passwords_of_first_administrators_differ():
    first = first_run.create_first_administrator()
    User.objects.all().delete()
    assert first_run.create_first_administrator().password != first.password


def test_a_database_with_accounts_gets_no_other_administrator():
    User.objects.create_user("ann")
    assert first_run.create_first_administrator() is None
    assert User.objects.count() == 1


def test_each_demo_account_has_its_role_and_no_more():
    first_run.create_demo_accounts()
    for account in DEMO_ACCOUNTS:
        user = User.objects.get(username=account.username)
        assert (user.is_active, user.is_platform_staff, user.is_superuser) == (True, True, False)
        readers = [roles.CONTENT_READER] if account.reads_content else []
        assert {group.name for group in user.groups.all()} == {account.role, *readers}
        assert user.check_password(account.password)


def test_only_the_demos_viewer_may_not_read_what_notes_say():
    assert [account.role for account in DEMO_ACCOUNTS if not account.reads_content] == [roles.VIEWER]


def test_demo_accounts_are_made_once():
    first_run.create_demo_accounts()
    first_run.create_demo_accounts()
    assert User.objects.count() == len(DEMO_ACCOUNTS)


def test_a_demo_in_which_people_have_made_accounts_goes_on():
    first_run.create_demo_accounts()
    User.objects.create_user("ann")
    first_run.create_demo_accounts()
    assert User.objects.count() == len(DEMO_ACCOUNTS) + 1


@pytest.mark.parametrize("name", ["ann", "operator"])
def test_a_database_with_peoples_own_accounts_gets_no_demo_accounts(name):
    User.objects.create_user(name)
    with pytest.raises(StartError) as refused:
        first_run.create_demo_accounts()
    assert str(refused.value) == (
        "this database holds people's own accounts, and --demo would add accounts whose passwords everybody knows. "
        "Leave --demo out, or name an empty folder in VAR_DIR."
    )
    assert User.objects.count() == 1


def test_set_up_tells_the_first_password_once(capsys):
    told = set_up(capsys)
    assert told[0].startswith("Sign in as admin with the password ")
    assert User.objects.get().check_password(told[0].split()[-1])
    assert set_up(capsys) == []


def test_set_up_tells_only_demo_passwords_that_still_work(capsys):
    set_up(capsys, "--demo")
    operator = User.objects.get(username="operator")
    operator.set_password("something else entirely")
    operator.save()
    assert [line.split()[3] for line in set_up(capsys, "--demo")] == ["viewer", "administrator"]


def test_set_up_without_demo_warns_of_a_demo_database(capsys):
    set_up(capsys, "--demo")
    assert set_up(capsys) == ["Warning: this database holds demo accounts, whose passwords everybody knows."]
