"""What gunicorn runs with; the address comes on its command line."""

import os
from pathlib import Path

from gunicorn.config import Config
from gunicorn.glogging import Logger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicepipeline.settings")

from django.conf import settings


class OneLog(Logger):
    """Sends gunicorn's own lines through the log set-up of everything else."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
logger_class = OneLog
timeout = 60
graceful_timeout = 10
# Heartbeat files on a busy disk can stall a worker long enough to be taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# Its default place is one per user, where two checkouts would meet.
control_socket_disable = True
