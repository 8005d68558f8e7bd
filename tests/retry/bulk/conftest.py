from tests.stages.fixtures import scripted_stages  # noqa: F401
