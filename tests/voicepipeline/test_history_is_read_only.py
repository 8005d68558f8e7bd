"""Events, runs, clusters and the engine's notes are history: nobody changes them here, superusers included."""

import pytest
from django.urls import reverse

from tests.engine.helpers import make_artifact, scheduled
from tests.factories import make_event, make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, PipelineEvent, StageRun, User

pytestmark = pytest.mark.django_db
MODELS = ("artifact", "pipelineevent", "stagerun")
PEOPLE = {
    "viewer": lambda: make_user(roles.VIEWER),
    "administrator": lambda: make_user(roles.ADMINISTRATOR),
    "superuser": lambda: User.objects.create_superuser("root"),
}


@pytest.fixture(params=PEOPLE)
def person(request, client):
    user = PEOPLE[request.param]()
    client.force_login(user)
    return user


@pytest.fixture
def rows():
    artifact = make_artifact()
    run = scheduled(artifact)
    return {"artifact": artifact, "stagerun": run, "pipelineevent": make_event(artifact)}


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Artifact, StageRun, PipelineEvent)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["change", "delete", "add", "changelist"])
def test_nothing_that_is_sent_changes_anything(client, person, rows, model, page):
    before = everything()
    arguments = [rows[model].pk] if page in ("change", "delete") else []
    data = {
        "status": "failed",
        "event_type": "artifact_failed",
        "post": "yes",
        "action": "delete_selected",
        "_selected_action": rows[model].pk,
    }
    response = client.post(reverse(f"admin:voicepipeline_{model}_{page}", args=arguments), data)
    # An action that a list does not have is refused or passed over.
    assert response.status_code in ((200, 302, 403) if page == "changelist" else (403,))
    assert everything() == before


@pytest.mark.parametrize("model", MODELS)
def test_no_page_offers_to_save_or_delete(client, person, rows, model):
    page = client.get(reverse(f"admin:voicepipeline_{model}_change", args=[rows[model].pk])).content.decode()
    assert 'name="_save"' not in page
    assert "/delete/" not in page


@pytest.mark.parametrize("page", ["clusterbeat_changelist", "scheduledjob_changelist"])
def test_the_queue_and_the_schedules_take_no_changes(client, person, page):
    response = client.post(reverse(f"admin:voicepipeline_{page}"), {"action": "delete_selected"})
    assert response.status_code in (200, 405)
