"""What must be true of the rows at any moment, as named SQL checks that return the rows which break it.

Plain SQL over any cursor, so that a test, the chaos run and a person at a prompt ask the same questions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.faults import figures, retries
from voicepipeline.events import stable_event_id
from voicepipeline.models import EventType
from voicepipeline.stages import IN_ORDER, Stage


class Cursor(Protocol):
    def execute(self, query: str, params: Any = None) -> Any: ...
    def executemany(self, query: str, params: Any) -> Any: ...
    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True)
class Violation:
    check: str
    rows: list[Any]

    def __str__(self) -> str:
        return f"{self.check}: {len(self.rows)} rows, such as {self.rows[:3]}"


# Events carry no run id; their own ids are made from run, token and type, so every one that may exist is known.
FACTS = """
CREATE TEMPORARY TABLE IF NOT EXISTS facts (run_id bigint, token integer, kind text, event_id uuid PRIMARY KEY)
"""
KINDS: dict[str, Any] = {
    "started": lambda stage: stage.started,
    "completed": lambda stage: stage.completed,
    "failed": lambda stage: stage.failed,
    "parked": lambda stage: EventType.STAGE_PARKED,
    "given back": lambda stage: EventType.STAGE_RELEASED,
    "reclaimed": lambda stage: EventType.STAGE_RUN_RECLAIMED,
    "discarded": lambda stage: EventType.STAGE_RESULT_DISCARDED,
    "note completed": lambda stage: EventType.ARTIFACT_COMPLETED,
    "note failed": lambda stage: EventType.ARTIFACT_FAILED,
}

SAID = """
    WITH said AS (
        SELECT facts.run_id, facts.token, facts.kind, event.* FROM facts
        JOIN voicepipeline_pipelineevent event USING (event_id)
    )
"""

SERVICES = "(VALUES ('transcription', 'transcription'), ('chat', 'claims_extraction')) AS service(name, stage)"

CHECKS = {
    # --- Runs and notes ---
    "one run at most is active for a note": """
        SELECT artifact_id, count(*) FROM voicepipeline_stagerun WHERE status IN ('queued', 'running')
        GROUP BY artifact_id HAVING count(*) > 1
    """,
    "one result at most is in use for a stage": """
        SELECT artifact_id, stage, count(*) FROM voicepipeline_stagerun WHERE effective
        GROUP BY artifact_id, stage HAVING count(*) > 1
    """,
    "a completed note has a result of every stage in use": """
        SELECT artifact.id, count(run.id) FROM voicepipeline_artifact artifact
        LEFT JOIN voicepipeline_stagerun run ON run.artifact_id = artifact.id AND run.effective
        WHERE artifact.status = 'completed' GROUP BY artifact.id HAVING count(run.id) <> 4
    """,
    "a note that has ended has no active run": """
        SELECT artifact.id, artifact.status, run.id FROM voicepipeline_artifact artifact
        JOIN voicepipeline_stagerun run ON run.artifact_id = artifact.id AND run.status IN ('queued', 'running')
        WHERE artifact.status IN ('completed', 'failed')
    """,
    "a lease belongs to a running run, and a running run has one": """
        SELECT id, status, lease_until FROM voicepipeline_stagerun
        WHERE (status = 'running') <> (lease_until IS NOT NULL)
    """,
    "tries are counted without gaps": """
        SELECT artifact_id, stage, generation, count(*), max(attempt) FROM voicepipeline_stagerun
        GROUP BY artifact_id, stage, generation HAVING min(attempt) <> 1 OR max(attempt) <> count(*)
    """,
    "no budget is exceeded": """
        SELECT id, transient_no, crash_no FROM voicepipeline_stagerun
        WHERE transient_no >= %(transient_budget)s OR crash_no >= %(crash_budget)s
    """,
    "budgets count what happened before in this stage": """
        SELECT run.id, run.transient_no, run.crash_no, before.faults, before.crashes FROM voicepipeline_stagerun run
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE error_code <> 'worker_died') AS faults,
                   count(*) FILTER (WHERE error_code = 'worker_died') AS crashes
            FROM voicepipeline_stagerun earlier
            WHERE earlier.artifact_id = run.artifact_id AND earlier.stage = run.stage
              AND earlier.origin = run.origin AND earlier.attempt < run.attempt AND earlier.status = 'failed'
        ) before
        WHERE (run.transient_no, run.crash_no) <> (before.faults, before.crashes)
    """,
    "a failed note was ended by one run of its failed stage": """
        SELECT artifact.id, artifact.failed_stage, artifact.error_code FROM voicepipeline_artifact artifact
        WHERE artifact.status = 'failed' AND NOT EXISTS (
            SELECT FROM voicepipeline_stagerun run WHERE run.artifact_id = artifact.id AND run.terminal
            AND run.stage = artifact.failed_stage
            AND (run.error_code = artifact.error_code OR run.status = 'cancelled')
        )
    """,
    "a failed run that ended nothing has a successor": """
        SELECT run.id, run.error_code FROM voicepipeline_stagerun run
        WHERE run.status = 'failed' AND NOT run.terminal AND NOT EXISTS (
            SELECT FROM voicepipeline_stagerun later WHERE later.artifact_id = run.artifact_id
            AND later.stage = run.stage AND later.generation = run.generation AND later.attempt = run.attempt + 1
        )
    """,
    "the next stage follows a result in use": """
        SELECT run.id, run.stage FROM voicepipeline_stagerun run JOIN voicepipeline_artifact artifact
        ON artifact.id = run.artifact_id AND artifact.status NOT IN ('completed', 'failed')
        WHERE run.effective AND NOT EXISTS (
            SELECT FROM voicepipeline_stagerun other WHERE other.artifact_id = run.artifact_id
            AND other.status IN ('queued', 'running')
        )
    """,
    # --- What is on hold, and the services ---
    "nothing on hold is rung for": """
        SELECT id, rung_at, ring_count FROM voicepipeline_stagerun
        WHERE parked_since IS NOT NULL AND (rung_at IS NOT NULL OR ring_count > 0)
    """,
    "what is on hold is told": """
        SELECT run.id, run.parked_since FROM voicepipeline_stagerun run
        WHERE run.parked_since IS NOT NULL AND NOT EXISTS (
            SELECT FROM voicepipeline_pipelineevent event WHERE event.artifact_id = run.artifact_id
            AND event.event_type = 'stage_parked' AND event.pipeline_stage = run.stage
            AND event.timestamp >= run.parked_since
        )
    """,
    "a note is charged for a call only by a run that failed": """
        SELECT call.id, run.status FROM voicepipeline_providercall call
        JOIN voicepipeline_stagerun run ON run.id = call.run_id WHERE call.charged AND run.status <> 'failed'
    """,
    "a trouble is told when it begins and when it ends": f"""
        SELECT service.name, count(*) FILTER (WHERE event_type = 'circuit_breaker_opened'),
               count(*) FILTER (WHERE event_type = 'circuit_breaker_closed')
        FROM {SERVICES} LEFT JOIN voicepipeline_aiservicehealth health ON health.service = service.name
        LEFT JOIN voicepipeline_pipelineevent event ON event.pipeline_stage = service.stage
            AND event_type IN ('circuit_breaker_opened', 'circuit_breaker_closed')
        GROUP BY service.name, health.state
        HAVING coalesce(sum(CASE event_type WHEN 'circuit_breaker_opened' THEN 1 ELSE -1 END)
                        FILTER (WHERE event_type IS NOT NULL), 0)
            <> (coalesce(health.state, 'closed') <> 'closed')::integer
    """,
    "a test that ended without a word is followed by another, if anybody waits": f"""
        SELECT health.service, health.updated_at FROM voicepipeline_aiservicehealth health
        JOIN {SERVICES} ON service.name = health.service
        LEFT JOIN voicepipeline_stagerun probe ON probe.id = health.probe_run_id AND probe.status = 'running'
        WHERE health.state = 'half_open' AND probe.id IS NULL
          AND health.updated_at < clock_timestamp() - interval '1 minute'
          AND EXISTS (
            SELECT FROM voicepipeline_stagerun run WHERE run.stage = service.stage AND run.status = 'queued'
            AND greatest(run.not_before, run.parked_since) < clock_timestamp() - interval '1 minute'
        )
    """,
    # --- Results ---
    # Of notes that are scripts: the real stages keep their results in tables of their own.
    "a result in use is stored once, by the claim that held the lease": """
        SELECT run.id, run.lease_token, count(result.id) FROM voicepipeline_stagerun run
        JOIN voicepipeline_artifact artifact ON artifact.id = run.artifact_id
        JOIN voicepipeline_voicenote note ON note.id = artifact.voice_note_id AND note.text LIKE '{%%'
        LEFT JOIN tests_stageresult result ON result.run_id = run.id AND result.token = run.lease_token
        WHERE run.effective GROUP BY run.id HAVING count(result.id) <> 1
    """,
    "nothing is stored but by a run whose result is in use": """
        SELECT result.id, result.run_id, result.token FROM tests_stageresult result
        LEFT JOIN voicepipeline_stagerun run ON run.id = result.run_id AND run.lease_token = result.token
        WHERE NOT coalesce(run.effective, false)
    """,
    # --- Events ---
    "every claim is told": f"""{SAID}
        SELECT run.id, token FROM voicepipeline_stagerun run, generate_series(1, run.lease_token) AS token
        WHERE NOT EXISTS (SELECT FROM said WHERE kind = 'started' AND run_id = run.id AND said.token = token.token)
    """,
    "every start has one end, or is at work": f"""{SAID}
        SELECT begun.run_id, begun.token, array_agg(ended.kind) FROM said begun
        JOIN voicepipeline_stagerun run ON run.id = begun.run_id
        LEFT JOIN said ended ON ended.run_id = begun.run_id AND ended.token = begun.token
            AND ended.kind IN ('completed', 'failed', 'parked', 'given back')
        WHERE begun.kind = 'started' AND run.status <> 'superseded'
          AND NOT (run.status = 'running' AND run.lease_token = begun.token)
        GROUP BY begun.run_id, begun.token HAVING count(ended.kind) <> 1
    """,
    "a succeeded run is told as completed, once": f"""{SAID}
        SELECT run.id, count(said.id) FROM voicepipeline_stagerun run LEFT JOIN said
        ON said.run_id = run.id AND said.kind = 'completed' AND said.token = run.lease_token
        GROUP BY run.id HAVING count(said.id) <> (CASE run.status WHEN 'succeeded' THEN 1 ELSE 0 END)
    """,
    "a failed run is told as failed, once, with what follows": f"""{SAID}
        SELECT run.id, run.status, count(said.id) FROM voicepipeline_stagerun run LEFT JOIN said
        ON said.run_id = run.id AND said.kind = 'failed' AND said.token = run.lease_token
            AND said.error_code = run.error_code AND (said.metadata ->> 'will_retry')::boolean <> run.terminal
        GROUP BY run.id HAVING count(said.id) <> (CASE run.status WHEN 'failed' THEN 1 ELSE 0 END)
    """,
    "a dead worker's run is told as picked up again, once": f"""{SAID}
        SELECT run.id, run.error_code, count(said.id) FROM voicepipeline_stagerun run LEFT JOIN said
        ON said.run_id = run.id AND said.kind = 'reclaimed' AND said.token = run.lease_token
        GROUP BY run.id HAVING count(said.id) <> (CASE run.error_code WHEN 'worker_died' THEN 1 ELSE 0 END)
    """,
    "a result is discarded only of a claim that had lost its lease": f"""{SAID}
        SELECT said.run_id, said.token, run.status FROM said JOIN voicepipeline_stagerun run ON run.id = said.run_id
        WHERE said.kind = 'discarded' AND said.token = run.lease_token
          AND run.status <> 'superseded' AND run.error_code <> 'worker_died'
    """,
    "every end of a note is told once": f"""{SAID}
        SELECT artifact.id, artifact.status, count(said.id) FROM voicepipeline_artifact artifact
        LEFT JOIN LATERAL (
            SELECT id FROM voicepipeline_stagerun WHERE artifact_id = artifact.id
            AND (terminal OR effective AND stage = 'draft_generation') ORDER BY id DESC LIMIT 1
        ) last ON true
        LEFT JOIN said ON said.run_id = last.id
            AND said.kind = CASE artifact.status WHEN 'completed' THEN 'note completed' ELSE 'note failed' END
        WHERE artifact.status IN ('completed', 'failed') AND artifact.error_code <> 'cancelled'
        GROUP BY artifact.id HAVING count(said.id) <> 1
    """,
    "the last change of status that was told is the one that is written": """
        SELECT artifact.id, artifact.status, told.new_status FROM voicepipeline_artifact artifact
        CROSS JOIN LATERAL (
            SELECT new_status FROM voicepipeline_pipelineevent event
            WHERE event.artifact_id = artifact.id AND event.event_type = 'artifact_status_changed'
            ORDER BY event.id DESC LIMIT 1
        ) told
        WHERE told.new_status <> artifact.status
    """,
    "a run's cost is that of its events": f"""{SAID}
        SELECT run.id, run.cost_usd, sum((said.metadata ->> 'ai_cost')::numeric) FROM voicepipeline_stagerun run
        LEFT JOIN said ON said.run_id = run.id AND (
            said.token = run.lease_token AND said.metadata ? 'ai_cost' OR said.kind = 'parked'
        )
        WHERE run.cost_usd IS NOT NULL
        GROUP BY run.id HAVING sum((said.metadata ->> 'ai_cost')::numeric) IS DISTINCT FROM run.cost_usd
    """,
    "a claim's cost is told once": f"""{SAID}
        SELECT run_id, token, array_agg(kind) FROM said WHERE metadata ? 'ai_cost'
        GROUP BY run_id, token HAVING count(*) > 1
    """,
    "an event happened while its run was there": f"""{SAID}
        SELECT said.run_id, said.kind, said.timestamp FROM said JOIN voicepipeline_stagerun run ON run.id = said.run_id
        WHERE said.kind IN ('completed', 'failed') AND said.timestamp < run.finished_at
    """,
    "no event was dropped": "SELECT id, event_type, reason FROM voicepipeline_droppedevent",
    # --- Retries ---
    **retries.CHECKS,
    # --- Figures ---
    **figures.CHECKS,
}


def broken(cursor: Cursor, *, transient_budget: int = 6, crash_budget: int = 3) -> list[Violation]:
    """Every check that does not hold, with the rows that break it."""
    _write_facts(cursor)
    found = []
    for name, query in CHECKS.items():
        cursor.execute(query, {"transient_budget": transient_budget, "crash_budget": crash_budget})
        rows = cursor.fetchall()
        if rows:
            found.append(Violation(name, rows))
    return found


def _write_facts(cursor: Cursor) -> None:
    cursor.execute(FACTS)
    cursor.execute("TRUNCATE facts")
    for stage in IN_ORDER:
        cursor.execute("SELECT id, lease_token FROM voicepipeline_stagerun WHERE stage = %s", [stage.name])
        rows = [fact for run_id, last in cursor.fetchall() for fact in _facts(stage, run_id, last)]
        cursor.executemany("INSERT INTO facts (run_id, token, kind, event_id) VALUES (%s, %s, %s, %s)", rows)
    cursor.execute("ANALYZE facts")


def _facts(stage: Stage, run_id: int, last: int) -> Iterator[tuple[int, int, str, str]]:
    for token in range(1, last + 1):
        for kind, event_type in KINDS.items():
            event_id = stable_event_id(f"run/{run_id}/{token}", event_type(stage))
            yield run_id, token, kind, str(event_id)
