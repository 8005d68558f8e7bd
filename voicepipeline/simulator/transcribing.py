"""The answer to a transcription request: what is in the audio, in the shapes of the real API."""

from pathlib import Path
from typing import Any

from voicepipeline.simulator import audio, notes, obedience, protocol
from voicepipeline.simulator.faults import Fault
from voicepipeline.simulator.multipart import Form, Part

Answer = dict[str, Any]
# For files whose length cannot be read: what a phone records.
BYTES_A_SECOND = 4_000
TOKENS_A_SECOND = 10
SPOILT: dict[str, Answer] = {"schema": {"text": ["not", "a", "text"]}, "wrong_shape": {"object": "list", "data": []}}


def check(form: Form | None, size: int) -> tuple[Form, Part, str]:
    """The form, its file and the model, or the refusal that the real API would answer with."""
    if size > protocol.MAX_BODY:
        raise protocol.too_large(size)
    file = form.file("file") if form else None
    model = form.text("model") if form else None
    if form is None or file is None or not model:
        raise protocol.Refused(400, "Missing required parameter: 'file' or 'model'.", code="missing_required_parameter")
    if model not in protocol.TRANSCRIBING_MODELS:
        raise protocol.model_gone(model)
    if any(sign in keyword for keyword in form.texts("keywords[]") for sign in "<>\r\n"):
        raise protocol.Refused(400, "Invalid keyword.", code="invalid_value", param="keywords")
    if form.texts("keywords[]") and model != "gpt-transcribe":
        raise protocol.Refused(400, f"keywords is not supported by {model}.", code="unsupported_parameter")
    if form.text("response_format") == "verbose_json" and model != "whisper-1":
        message = f"response_format 'verbose_json' is not compatible with model '{model}'. Use 'json' instead."
        raise protocol.Refused(400, message, code="unsupported_value", param="response_format")
    # Judged by the name alone: the same bytes are refused as .opus or .oga and accepted as .ogg.
    if Path(file.filename or "").suffix.lower().removeprefix(".") not in protocol.ACCEPTED_EXTENSIONS:
        raise protocol.unsupported()
    if not file.content:
        raise protocol.corrupted()
    return form, file, model


def said_in(content: bytes) -> str:
    """The script inside, else a note chosen by the bytes."""
    script = audio.read_script(content)
    return notes.note_for(content) if script is None else script


def answer(form: Form, file: Part, model: str, *, fault: Fault | None, obedient: bool) -> Answer:
    kind = fault.kind if fault else ""
    if kind in SPOILT:
        return SPOILT[kind]
    text = _text(kind, file.content)
    if obedient or kind == "obedient":
        asked = " ".join([form.text("prompt") or "", *form.texts("keywords[]")])
        text = obedience.ordered_transcript(asked) or text
    seconds = audio.duration_seconds(file.content)
    seconds = len(file.content) / BYTES_A_SECOND if seconds is None else seconds
    if form.text("response_format") == "verbose_json":
        return _verbose(text, seconds)
    usage = _usage(model, text, seconds)
    if model == "gpt-transcribe":
        return {"text": text, "languages": [{"code": "en"}] if text else [], "usage": usage}
    return {"text": text, "usage": usage}


def _text(kind: str, content: bytes) -> str:
    match kind:
        case "empty":
            return ""
        case "text_on_silence":
            return notes.invention_for(content)
        case "invented_name":
            return f"{said_in(content)} Zebulon Quartermaine was outstanding."
    return said_in(content)


def _usage(model: str, text: str, seconds: float) -> Answer:
    if protocol.TRANSCRIBING_MODELS[model] == "duration":
        return {"type": "duration", "seconds": max(1, round(seconds))}
    heard, written = max(1, round(seconds * TOKENS_A_SECOND)), protocol.tokens(text)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "output_tokens": written,
        "total_tokens": heard + written,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
    }


def _verbose(text: str, seconds: float) -> Answer:
    return {
        "task": "transcribe",
        "language": "english",
        "duration": round(seconds, 2),
        "text": text,
        "segments": _segments(text, seconds),
        "usage": {"type": "duration", "seconds": max(1, round(seconds))},
    }


def _segments(text: str, seconds: float) -> list[Answer]:
    """One a sentence, its share of the time by its share of the letters."""
    sentences = [piece.strip() for piece in text.replace("! ", "!\n").replace(". ", ".\n").splitlines()]
    pace, at, segments = seconds / max(1, len(text)), 0.0, []
    for number, sentence in enumerate(filter(None, sentences)):
        ends = at + len(sentence) * pace
        segments.append(
            {
                "id": number,
                "seek": 0,
                "start": round(at, 2),
                "end": round(ends, 2),
                "text": f" {sentence}",
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": -0.25,
                "compression_ratio": 1.4,
                "no_speech_prob": 0.01,
            }
        )
        at = ends
    return segments
