from voicepipeline.checks import check_engine_limits, check_queue_timing


def test_the_timing_as_shipped_is_right():
    assert check_queue_timing(None) == []
    assert check_engine_limits(None) == []


def test_a_task_handed_out_again_too_early_is_an_error(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "retry": settings.Q_CLUSTER["retry"] - 1}
    assert [message.id for message in check_queue_timing(None)] == ["voicepipeline.E001"]


def test_a_larger_local_queue_needs_a_longer_retry(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "queue_limit": settings.Q_CLUSTER["workers"] * 8}
    assert [message.id for message in check_queue_timing(None)] == ["voicepipeline.E001"]


def test_an_unknown_limit_is_an_error(settings):
    settings.ENGINE = {"leese": 5}
    assert [message.id for message in check_engine_limits(None)] == ["voicepipeline.E002"]


def test_a_deadline_before_the_job_timeout_is_warned_of(settings):
    settings.ENGINE = {"longest_run": 5}
    assert [message.id for message in check_engine_limits(None)] == ["voicepipeline.W003"]
