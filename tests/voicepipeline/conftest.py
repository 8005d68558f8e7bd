from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
