from tests.stages.fixtures import django_db_setup  # noqa: F401
