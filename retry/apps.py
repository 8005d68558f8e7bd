from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "Retries"

    def ready(self) -> None:
        from retry import roles

        post_migrate.connect(roles.grant_permissions, sender=self)
