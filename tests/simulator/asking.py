"""Plain HTTP, as any program would use it: status, headers and body."""

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any, NamedTuple


class Seen(NamedTuple):
    status: int
    headers: Message
    body: Any


def ask(url: str, body: bytes | None = None, *, method: str | None = None, **headers: str) -> Seen:
    named = {name.replace("_", "-"): value for name, value in {"Authorization": "Bearer key", **headers}.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Seen(answer.status, answer.headers, _read(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Seen(error.code, error.headers, _read(error.read()))


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def upload(url: str, content: bytes, *fields: tuple[str, str], filename: str = "note.wav", **headers: str) -> Seen:
    boundary = "----boundary-7d1f"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    ]
    file_head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = "".join(parts).encode() + file_head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return ask(f"{url}/audio/transcriptions", body, Content_Type=kind, **headers)


def chat(url: str, **request: Any) -> Seen:
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}], **request}
    return ask(f"{url}/chat/completions", json.dumps(body).encode(), Content_Type="application/json")
