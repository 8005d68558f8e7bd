from django.urls import path

from metrics.prometheus import scrape

urlpatterns = [path("metrics", scrape, name="metrics")]
