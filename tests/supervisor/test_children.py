"""Which children `up` has, and where they find the AI provider."""

from dataclasses import replace

import pytest

from tests.environment import CHECKOUT
from voicepipeline.supervisor.children import Options, latecomers, services

OPTIONS = Options(
    demo=False,
    folder=CHECKOUT,
    var_dir=CHECKOUT / "var",
    host="127.0.0.1",
    port=8000,
    site_url="http://localhost:8000",
    workers=2,
    text_logs=False,
    simulated=True,
)


def environments(options):
    return [child.popen_options["env"].get("OPENAI_BASE_URL") for child in services(options)]


def test_without_a_key_the_provider_is_one_more_child_and_comes_first():
    first, *others = services(OPTIONS)
    assert first.name == "simulator"
    assert first.command[-4:] == ["--host", "127.0.0.1", "--port", "8741"]
    assert [child.name for child in others] == ["web", "workers", "watchdog"]


def test_without_a_key_every_child_is_pointed_at_it():
    assert set(environments(OPTIONS)) == {"http://127.0.0.1:8741/v1"}


def test_with_a_key_there_is_no_simulator(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = replace(OPTIONS, simulated=False)
    assert [child.name for child in services(options)] == ["web", "workers", "watchdog"]
    assert set(environments(options)) == {None}


def test_the_providers_answers_take_a_second_in_a_demo():
    simulator, *_ = services(replace(OPTIONS, demo=True))
    assert simulator.command[-2:] == ["--latency", "1"]


@pytest.mark.parametrize("simulated", [True, False])
def test_the_notes_of_a_demo_begin_when_everything_else_runs(simulated):
    demo = replace(OPTIONS, demo=True, simulated=simulated)
    assert "demo" not in [child.name for child in services(demo)]
    (late,) = latecomers(demo)
    assert (late.name, late.command[-2:]) == ("demo", ["demo_traffic", "--stay"])


def test_without_demo_nothing_comes_late():
    assert latecomers(OPTIONS) == []


@pytest.mark.parametrize(("port", "simulator_port"), [(1, 742), (9000, 9741), (64_794, 65_535), (65_000, 64_259)])
def test_its_port_goes_with_the_port_of_the_pages(port, simulator_port):
    assert replace(OPTIONS, port=port).simulator_port == simulator_port
