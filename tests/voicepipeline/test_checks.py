import pytest

from voicepipeline.checks import check_ai_capabilities, check_engine_limits, check_queue_timing


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


@pytest.mark.parametrize("wishes", [{"my-model": {"keyword": True}}, {"my-model": {"keywords": "yes"}}, {"m": 1}, []])
def test_a_capability_that_cannot_be_asked_for_is_an_error(settings, wishes):
    settings.AI_CAPABILITIES = wishes
    assert [message.id for message in check_ai_capabilities(None)] == ["voicepipeline.E004"]


def test_capabilities_of_a_model_of_ones_own_are_no_error(settings):
    settings.AI_CAPABILITIES = {"my-model": {"json_schema": False}}
    assert check_ai_capabilities(None) == []
