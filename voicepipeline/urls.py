from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from voicepipeline import views
from voicepipeline.api.routes import api

handler403 = "voicepipeline.views.forbidden"
handler404 = "voicepipeline.views.not_found"
handler500 = "voicepipeline.views.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/", api.urls),
    path("", include("metrics.urls")),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
]
