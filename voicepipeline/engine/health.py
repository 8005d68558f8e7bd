"""How the AI services fare: what each call teaches, and when a service is paused, tested and back to normal.

While a service is well, a call costs one inserted row and no lock. In trouble its one row is locked, after the run's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from voicepipeline.engine.changes import Change
from voicepipeline.engine.claiming import Claim
from voicepipeline.engine.limits import limits
from voicepipeline.engine.standing import locked_health, write_health
from voicepipeline.engine.transactions import database_now
from voicepipeline.events import NewEvent, log_events, stable_event_id
from voicepipeline.models import AIService, AIServiceHealth, EventType, Pause, ProviderCall, StageRun
from voicepipeline.policies import breaker
from voicepipeline.stages import stages_of
from voicepipeline.stages.contract import NeedsPersonFault, ProviderFault, StageFault, Usage
from voicepipeline.text import safe_text

State = AIServiceHealth.State

SLOW_DOWN = "provider_busy"


@dataclass(frozen=True)
class Teller:
    """Who learnt something of a service, and when; what is to be said about it is added to the events."""

    service: AIService
    now: datetime
    events: list[NewEvent]

    def say(self, event_type: EventType, health: AIServiceHealth, *, actor_id: int | None = None) -> None:
        """Opened and closed are each said once a trouble, however many notice."""
        closed = event_type == EventType.CIRCUIT_BREAKER_CLOSED
        self.events.append(
            NewEvent(
                event_type=event_type,
                event_id=stable_event_id("trouble", self.service, health.trouble_since, event_type),
                stage=stages_of(self.service)[0].name,
                stage_started_at=health.trouble_since,
                stage_completed_at=self.now if closed else None,
                actor_id=actor_id,
                metadata={"endpoint": self.service.value, "reason": health.reason},
            )
        )


# --- What a call teaches ----------------------------------------------------------------------------------------


def learn_from_answer(change: Change, claim: Claim, usage: Usage, *, code: str = "") -> None:
    """The provider answered, were it with a refusal of this note: its service works."""
    service = claim.stage.service
    if service is None or not usage.ai_model:  # no call was made
        return
    if not _keep_call(service, claim.run_id, claim.started_at, change.now, succeeded=True, code=code):
        return
    health = locked_health(service)
    if health is None or health.state == State.CLOSED or health.needs_person:
        return
    tested = health.probe_run_id == claim.run_id
    # A call from before the trouble proves nothing about now.
    if tested or (health.trouble_since and claim.started_at > health.trouble_since):
        _close(Teller(service, change.now, change.events), health)


def learn_from_trouble(change: Change, claim: Claim, fault: ProviderFault, *, charged: bool) -> None:
    """The provider failed this run. When the note is not charged for it, the service may have to be paused."""
    service = claim.stage.service
    if service is None:
        return
    _keep_call(service, claim.run_id, claim.started_at, change.now, succeeded=False, code=fault.code, charged=charged)
    if not charged:
        _take_to_heart(Teller(service, change.now, change.events), fault, run_id=claim.run_id)


def is_the_notes_own(claim: Claim, run: StageRun, fault: ProviderFault) -> bool:
    """Whether the provider, having failed this run before, has since taken up and answered another's call."""
    if isinstance(fault, NeedsPersonFault) or claim.stage.service is None or run.provider_failed_at is None:
        return False
    # Whatever started since also ended since; the index knows the ends.
    since = Q(started_at__gt=run.provider_failed_at, ended_at__gt=run.provider_failed_at)
    return ProviderCall.objects.filter(since, service=claim.stage.service, succeeded=True).exists()


KEEP_CALL = """
INSERT INTO voicepipeline_providercall (service, run_id, started_at, ended_at, succeeded, code, charged)
VALUES (%s, %s, %s, %s, %s, %s, %s)
RETURNING coalesce((SELECT state <> 'closed' FROM voicepipeline_aiservicehealth WHERE service = %s), false)
"""


def _keep_call(
    service: AIService,
    run_id: int | None,
    started_at: datetime,
    ended_at: datetime,
    *,
    succeeded: bool,
    code: str = "",
    charged: bool = False,
) -> bool:
    """Add the call to the record; tells whether its service is in trouble."""
    code = safe_text(code, 60)
    with connection.cursor() as cursor:
        cursor.execute(KEEP_CALL, [service, run_id, started_at, ended_at, succeeded, code, charged, service])
        row: tuple[bool] = cursor.fetchone()
        return row[0]


def _take_to_heart(teller: Teller, fault: ProviderFault, *, run_id: int | None) -> None:
    """Under the row's lock, so that those who fail at once are counted one after another."""
    health = locked_health(teller.service, make=True)
    teller = replace(teller, now=database_now())  # the lock may have been waited for
    needs_person = isinstance(fault, NeedsPersonFault)
    if health.state == State.CLOSED:
        if needs_person or breaker.opens(_tally(teller, health), _rules()):
            _open(teller, health, fault)
    elif needs_person:
        _stay_open(teller, health, fault, pause=health.probe_pause or limits().probe_pause)
    elif health.state == State.HALF_OPEN and health.probe_run_id == run_id:
        _fail_test(teller, health, fault)
    elif health.state == State.OPEN and fault.retry_after and health.next_probe_at:
        later = max(health.next_probe_at, teller.now + fault.retry_after)
        write_health(health, teller.now, State.OPEN, next_probe_at=later)


# What counts began and ended since the service was last back to normal; the index knows the ends.
COUNTS = "service = %(service)s AND NOT charged AND started_at >= %(since)s AND ended_at >= %(since)s"
TALLY = f"""
SELECT (
        SELECT CASE WHEN bool_or(succeeded) THEN 0 ELSE count(*) END FROM (
            SELECT succeeded FROM voicepipeline_providercall WHERE {COUNTS}
            ORDER BY ended_at DESC LIMIT %(in_a_row)s
        ) last
    ), count(*), count(*) FILTER (WHERE NOT succeeded)
FROM voicepipeline_providercall WHERE {COUNTS} AND ended_at > %(window)s
"""  # noqa: S608 — constants of this module


def _tally(teller: Teller, health: AIServiceHealth) -> breaker.Tally:
    """What speaks for and against the service since it was last back to normal."""
    how = limits()
    with connection.cursor() as cursor:
        cursor.execute(
            TALLY,
            {
                "service": teller.service,
                "since": health.changed_at,
                "in_a_row": how.breaker_faults_in_a_row,
                "window": teller.now - how.breaker_window,
            },
        )
        return breaker.Tally(*cursor.fetchone())


def _rules() -> breaker.Rules:
    how = limits()
    return breaker.Rules(how.breaker_faults_in_a_row, how.breaker_calls, how.breaker_share_percent)


# --- The moves --------------------------------------------------------------------------------------------------


def _open(teller: Teller, health: AIServiceHealth, fault: ProviderFault) -> None:
    health.trouble_since = teller.now
    _stay_open(teller, health, fault, pause=limits().probe_pause)
    teller.say(EventType.CIRCUIT_BREAKER_OPENED, health)


def _fail_test(teller: Teller, health: AIServiceHealth, fault: ProviderFault) -> None:
    how = limits()
    pause = breaker.pause_after_failed_test(health.probe_pause or how.probe_pause, how.longest_probe_pause)
    _stay_open(teller, health, fault, pause=pause)


def _stay_open(teller: Teller, health: AIServiceHealth, fault: ProviderFault, *, pause: timedelta) -> None:
    # What a person has to put right stays the reason, whatever else goes wrong meanwhile.
    passing = health.needs_person and not isinstance(fault, NeedsPersonFault)
    write_health(
        health,
        teller.now,
        State.OPEN,
        reason=health.reason if passing else safe_text(fault.code, 60),
        needs_person=isinstance(fault, NeedsPersonFault) or health.needs_person,
        probe_pause=pause,
        next_probe_at=breaker.next_test_at(teller.now, pause, fault.retry_after),
        trouble_since=health.trouble_since,
        resumed_by_id=None,
    )


def _close(teller: Teller, health: AIServiceHealth, *, by_id: int | None = None) -> None:
    teller.say(EventType.CIRCUIT_BREAKER_CLOSED, health, actor_id=by_id)
    write_health(
        health,
        teller.now,
        State.CLOSED,
        reason="",
        needs_person=False,
        trouble_since=None,
        next_probe_at=None,
        probe_pause=None,
        resumed_by_id=by_id,
    )


# --- For people -------------------------------------------------------------------------------------------------


@transaction.atomic
def resume_service(service: AIService, *, by_id: int) -> bool:
    """A person says that it is well again; False when it was not paused. What waits is then let go, paced."""
    health = locked_health(service)
    if health is None or health.state == State.CLOSED:
        return False
    teller = Teller(service, database_now(), [])
    _close(teller, health, by_id=by_id)
    log_events(teller.events)
    return True


@transaction.atomic
def record_test_call(service: AIService, fault: StageFault | None, *, started_at: datetime | None = None) -> None:
    """What came of a call that a person had made: an answer ends the trouble, unless a person has to resume it."""
    now = database_now()
    teller = Teller(service, now, [])
    if isinstance(fault, ProviderFault):
        _keep_call(service, None, started_at or now, now, succeeded=False, code=fault.code)
        _learn_from_failed_test_call(teller, fault)
        if fault.code == SLOW_DOWN:
            teller.events.append(_slowed_down(teller))
    elif _keep_call(service, None, started_at or now, now, succeeded=True, code=fault.code if fault else ""):
        health = locked_health(service)
        if health is not None and health.state != State.CLOSED and not health.needs_person:
            _close(teller, health)
    log_events(teller.events)


def _learn_from_failed_test_call(teller: Teller, fault: ProviderFault) -> None:
    health = locked_health(teller.service, make=True)
    if health.state == State.OPEN and not isinstance(fault, NeedsPersonFault):
        _fail_test(teller, health, fault)
    else:  # a run that tests the service at this moment has the last word
        _take_to_heart(teller, fault, run_id=None)


def _slowed_down(teller: Teller) -> NewEvent:
    return NewEvent(
        event_type=EventType.RATE_LIMIT_HIT,
        event_id=stable_event_id("test call", teller.service, teller.now, EventType.RATE_LIMIT_HIT),
        stage=stages_of(teller.service)[0].name,
        metadata={"endpoint": teller.service.value, "reason": SLOW_DOWN},
    )


def current_health() -> dict[AIService, AIServiceHealth]:
    """Every service; one that never was in trouble has no row yet and is normal."""
    known = {AIService(health.service): health for health in AIServiceHealth.objects.select_related("resumed_by")}
    return {service: known.get(service) or AIServiceHealth(service=service) for service in AIService}


def applying_pause(stage: str, organization_id: int | None) -> Pause | None:
    """The pause that holds this stage for this club, if a person has made one; one for everybody comes first."""
    clubs = Q(organization_id=None) | Q(organization_id=organization_id)
    subjects = [Pause.Subject.EVERYTHING, stage]
    live = Pause.objects.filter(clubs, subject__in=subjects, resumed_at=None)
    return live.select_related("organization", "paused_by").order_by("organization_id", "paused_at").last()


MOST_FORGOTTEN_AT_ONCE = 5_000


def forget_old_calls(now: datetime) -> int:
    """Delete calls that nobody asks about any more, a bounded number at once."""
    old = ProviderCall.objects.filter(ended_at__lt=now - limits().provider_calls_kept).order_by("ended_at")
    some = list(old.values_list("pk", flat=True)[:MOST_FORGOTTEN_AT_ONCE])
    return ProviderCall.objects.filter(pk__in=some).delete()[0] if some else 0
