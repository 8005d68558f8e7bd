"""django-q's cluster, made to report in and to let its workers give their runs back when it stops."""

import contextlib
import gc
import os
import signal
from importlib import import_module

import psutil
from django.conf import settings
from django_q.cluster import Cluster
from django_q.signals import post_execute, post_execute_in_worker, post_spawn, pre_execute

from voicepipeline.ai.client import warm_up
from voicepipeline.engine.beats import Reporter, note_end, note_recorded, note_start
from voicepipeline.engine.limits import limits
from voicepipeline.engine.stopping import STOP_SIGNAL, note_cluster_stops, prepare_worker


class PipelineCluster(Cluster):
    def start(self) -> int:
        note_cluster_stops(False)
        preload()
        lead_own_group()
        post_spawn.connect(prepare_worker)
        pre_execute.connect(note_start)
        post_execute_in_worker.connect(note_end)
        post_execute.connect(note_recorded)
        # Inherited by the pusher and the monitor, which the stop signal must not touch; workers set their own handler.
        signal.signal(STOP_SIGNAL, signal.SIG_IGN)
        pid = int(super().start())
        self.reporter = Reporter(self.sentinel.pid, when_unrecorded=self.give_up)
        self.reporter.start()
        return pid

    def stop(self) -> bool:
        """Let running work end and begin none; what takes longer than the grace is given back, uncharged."""
        if not self.sentinel.is_alive():
            return False
        note_cluster_stops()
        self.stop_event.set()
        self.sentinel.join(limits().stopping_grace.total_seconds())
        if self.sentinel.is_alive():
            self._stop_workers()
        return bool(super().stop())

    def wait(self) -> None:
        """Until the cluster has ended; its sentinel's death is ours, so that the supervisor sees it."""
        self.sentinel.join()
        self.reporter.stop()

    def give_up(self) -> None:
        """End a cluster that can no longer stop in order, its runs given back; its supervisor starts a new one."""
        note_cluster_stops()
        grace = limits().stopping_grace.total_seconds()
        self.stop_event.set()
        self.sentinel.join(grace)
        self._stop_workers()
        self.sentinel.join(grace)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    def _stop_workers(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.sentinel.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(STOP_SIGNAL)


def lead_own_group() -> None:
    """Be alone with our children: whoever ends a wedged cluster kills its whole group, whatever else is in it."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()


def preload() -> None:
    """Import the stages before the workers are forked, and keep that memory shared."""
    import_module("voicepipeline.tasks")
    for module in settings.STAGE_CODE.values():
        import_module(module)
    warm_up()
    gc.collect()
    gc.freeze()
