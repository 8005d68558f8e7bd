"""The people: who works here, and whom the notes are about."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class PlatformUserManager(UserManager["User"]):
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> "User":
        extra_fields.setdefault("is_platform_staff", True)
        return super().create_superuser(username, email, password, **extra_fields)


class User(AbstractUser):
    """A person with an account; only platform staff enter the back office."""

    is_platform_staff = models.BooleanField(
        "platform staff", default=False, help_text="May sign in to this back office. Roles decide what they may do."
    )

    objects: ClassVar[PlatformUserManager] = PlatformUserManager()
