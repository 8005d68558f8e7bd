import pytest
from django.core.exceptions import PermissionDenied

from voicepipeline.access import verify_platform_staff
from voicepipeline.models import User

pytestmark = pytest.mark.django_db


def test_platform_staff_pass():
    verify_platform_staff(User.objects.create_user("ana", is_platform_staff=True))


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}, {"is_superuser": True}])
def test_everybody_else_is_refused(flags):
    with pytest.raises(PermissionDenied):
        verify_platform_staff(User.objects.create_user("coach", **flags))


def test_inactive_platform_staff_is_refused():
    with pytest.raises(PermissionDenied):
        verify_platform_staff(User.objects.create_user("ana", is_platform_staff=True, is_active=False))


def test_createsuperuser_makes_platform_staff():
    assert User.objects.create_superuser("root").is_platform_staff
