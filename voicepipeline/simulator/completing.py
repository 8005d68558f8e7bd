"""The answer to a chat completion: statements about the transcript in the request, or what fits another schema."""

import json
import re
from typing import Any

from voicepipeline.simulator import obedience, protocol
from voicepipeline.simulator.faults import Fault
from voicepipeline.simulator.statements import Rostered, statement, statements

Answer = dict[str, Any]
TRANSCRIPT = re.compile(r"<transcript-(\w+)>\n(.*)\n</transcript-\1>", re.DOTALL)
ROSTER = re.compile(r"<roster-(\w+)>\n(.*?)\n?</roster-\1>", re.DOTALL)
MADE_UP_ID = "p-invented"


def check(request: Any) -> str:
    """The model asked for, or the refusal that the real API would answer with."""
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list) or not _said(request):
        raise protocol.Refused(400, "Missing required parameter: 'messages'.", code="missing_required_parameter")
    model = str(request.get("model"))
    if model not in protocol.CHAT_MODELS:
        raise protocol.model_gone(model)
    wanted = request.get("response_format") or {"type": "text"}
    if wanted.get("type") == "json_schema":
        _check_strict(wanted.get("json_schema", {}).get("schema", {}))
    if len(_said(request)) > protocol.CONTEXT_CHARACTERS:
        raise protocol.too_much_text()
    return model


def _check_strict(schema: Any) -> None:
    """What strict mode asks of every object in a schema: nothing optional and nothing more."""
    if isinstance(schema, list):
        for part in schema:
            _check_strict(part)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and (
            schema.get("additionalProperties") is not False
            or set(schema.get("required", ())) != set(schema.get("properties", {}))
        ):
            message = "Invalid schema for response_format: 'additionalProperties' is required to be supplied and false."
            raise protocol.Refused(400, message, code="invalid_json_schema", param="response_format")
        for part in schema.values():
            _check_strict(part)


def transcript_in(request: Answer) -> str:
    match = TRANSCRIPT.search(_said(request))
    return match.group(2) if match else ""


def roster_in(request: Answer) -> list[Rostered]:
    match = ROSTER.search(_said(request))
    rows = [json.loads(line) for line in match.group(2).splitlines()] if match else []
    return [Rostered(row["id"], row["name"], row.get("team") or "") for row in rows]


def _said(request: Answer) -> str:
    return "\n".join(str(each.get("content", "")) for each in request["messages"] if isinstance(each, dict))


def answer(request: Answer, model: str, *, number: int, fault: Fault | None, obedient: bool) -> Answer:
    """A chat.completion object."""
    kind = fault.kind if fault else ""
    if kind == "wrong_shape":
        return {"object": "chat.completion", "choices": [], "usage": None}
    content: str | None = _content(request, kind, obedient or kind == "obedient")
    refusal, finish_reason = None, "stop"
    limit = request.get("max_completion_tokens")
    match kind:
        case "refusal":
            content, refusal = None, f"I'm sorry, I can't help with that: {_said(request)[:100]}"
        case "content_filter":
            content, finish_reason = "", "content_filter"
        case _ if kind == "truncated" or (limit and protocol.tokens(content or "") > limit):
            content, finish_reason = (content or "")[: len(content or "") // 2], "length"
    read, written = protocol.tokens(_said(request)), protocol.tokens(content or "")
    message: Answer = {"role": "assistant", "content": content, "refusal": refusal, "annotations": []}
    return {
        "id": protocol.stable_id("chatcmpl-", str(number), _said(request)),
        "object": "chat.completion",
        "created": protocol.CREATED,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }


def _content(request: Answer, kind: str, obedient: bool) -> str:
    transcript, roster = transcript_in(request), roster_in(request)
    schema = (request.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    if kind == "empty":
        return ""
    if kind == "malformed":
        return '{"claims": [{"topic": "injury", "title": }]'
    if kind == "schema":
        return json.dumps({"claims": [{"topic": "gossip", "title": 7}], "extra": transcript[:200]})
    if "claims" not in schema.get("properties", {}):
        return json.dumps(_anything_that_fits(schema, schema)) if schema else "Simulated."
    if obedient:
        return obedience.ordered_answer(transcript, roster)
    found = statements(transcript, roster)
    if kind == "invented_name":
        found.append(_about_nobody(transcript, roster))
    if kind == "text_on_silence":
        found.append(statement("performance", "Everybody played really well in the final.", []))
    return json.dumps({"claims": found}, ensure_ascii=False)


def _about_nobody(transcript: str, roster: list[Rostered]) -> Answer:
    """A statement with a quote never spoken, about a player never named and about one who is on no roster."""
    silent = [player for player in roster if player.name.casefold() not in transcript.casefold()]
    invented = statement("performance", "Zebulon Quartermaine was outstanding.", [])
    people = [("Zebulon Quartermaine", MADE_UP_ID), *((player.name, player.id) for player in silent[:1])]
    invented["mentions"] = [
        {"kind": "player_name", "raw_text": name, "position": 0, "roster_id": roster_id} for name, roster_id in people
    ]
    return invented


def _anything_that_fits(schema: Any, whole: Any) -> Any:
    """The smallest value that this schema allows."""
    if "$ref" in schema:
        return _anything_that_fits(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _anything_that_fits(schema["anyOf"][0], whole)
    match schema.get("type"):
        case "object":
            return {name: _anything_that_fits(part, whole) for name, part in schema.get("properties", {}).items()}
        case "array":
            return []
        case "string":
            return "simulated"
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
    return None
