from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from voicepipeline.access import is_platform_staff


class BackOfficeSite(UnfoldAdminSite):
    """The admin, for active platform staff and nobody else."""

    def has_permission(self, request: HttpRequest) -> bool:
        return is_platform_staff(request.user)
