"""The first accounts of a new database."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet

from voicepipeline import roles
from voicepipeline.models import User
from voicepipeline.refusals import StartError

FIRST_ADMINISTRATOR = "admin"
PASSWORD_BYTES = 15


@dataclass(frozen=True)
class Account:
    username: str
    password: str


@dataclass(frozen=True)
class DemoAccount(Account):
    role: str
    reads_content: bool = True

    @property
    def email(self) -> str:
        """Marks the account as one of ours: a real person may well be called "operator"."""
        return f"{self.username}@demo.invalid"


DEMO_ACCOUNTS = (
    DemoAccount("viewer", "viewer-demo-pass", roles.VIEWER, reads_content=False),
    DemoAccount("operator", "operator-demo-pass", roles.OPERATOR),
    DemoAccount("administrator", "administrator-demo-pass", roles.ADMINISTRATOR),
)


@transaction.atomic(durable=True)
def create_first_administrator() -> Account | None:
    """Make the first administrator, with a random password, if there is nobody at all."""
    if User.objects.exists():
        return None
    account = Account(FIRST_ADMINISTRATOR, secrets.token_urlsafe(PASSWORD_BYTES))
    user = User.objects.create_superuser(account.username, password=account.password)
    user.groups.add(Group.objects.get(name=roles.ADMINISTRATOR))
    roles.let_read_content(user, True)
    return account


@transaction.atomic(durable=True)
def create_demo_accounts() -> None:
    """Make the documented demo accounts that are missing, unless people with accounts of their own work here."""
    missing = [account for account in DEMO_ACCOUNTS if not _demo_users([account]).exists()]
    if missing and User.objects.exclude(pk__in=_demo_users(DEMO_ACCOUNTS)).exists():
        raise StartError(
            "this database holds people's own accounts, and --demo would add accounts whose passwords everybody knows. "
            "Leave --demo out, or name an empty folder in VAR_DIR."
        )
    for account in missing:
        user = User.objects.create_user(account.username, account.email, account.password, is_platform_staff=True)
        user.groups.add(Group.objects.get(name=account.role))
        roles.let_read_content(user, account.reads_content)


def usable_demo_accounts() -> list[DemoAccount]:
    """The demo accounts that anybody who has read the documentation can sign in with."""
    by_name = {user.username: user for user in _demo_users(DEMO_ACCOUNTS).filter(is_active=True)}
    return [
        account
        for account in DEMO_ACCOUNTS
        if account.username in by_name and by_name[account.username].check_password(account.password)
    ]


def _demo_users(accounts: Sequence[DemoAccount]) -> QuerySet[User]:
    return User.objects.filter(
        username__in=[account.username for account in accounts], email__in=[account.email for account in accounts]
    )
