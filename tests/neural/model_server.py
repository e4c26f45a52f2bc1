"""A small OpenAI- and Anthropic-compatible server on loopback that answers from a script."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


@dataclass
class Server:
    """Gives its `replies` in turn, the last one again and again; keeps what it was asked."""

    replies: list[Reply]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    busy: int = 0
    most: int = 0  # requests that were under way at the same time


@contextmanager
def serving(*replies: Reply) -> Iterator[Server]:
    """The server, while the block runs."""
    state = Server(list(replies))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            turn = len(state.asked)
            state.asked.append(json.loads(body))
            state.headers.append({k.lower(): v for k, v in self.headers.items()})
            state.times.append(time.monotonic())
            state.busy += 1
            state.most = max(state.most, state.busy)
            with contextlib.suppress(OSError):  # the client goes away, as it should
                state.replies[min(turn, len(state.replies) - 1)](self, state.asked[-1])
            state.busy -= 1
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def raw(h: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """A whole response."""
    h.send_response(status)
    for name, value in headers.items():
        h.send_header(name.replace("_", "-"), value)
    h.send_header("Content-Length", str(len(body)))
    h.end_headers()
    h.wfile.write(body)


def chunk(text: str | None = None, finish: str | None = None, usage: Any = None) -> bytes:
    """One event of a stream of chat completions."""
    choices = [] if usage else [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]
    data = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": choices, "usage": usage}  # fmt: skip
    return f"data: {json.dumps(data)}\n\n".encode()


def open_stream(h: BaseHTTPRequestHandler) -> None:
    """The head of an event stream without a known length."""
    h.send_response(200)
    h.send_header("Content-Type", "text/event-stream")
    h.send_header("Connection", "close")
    h.end_headers()


def says(text: str, tokens: tuple[int, int] = (100, 50), finish: str = "stop") -> Reply:
    """An answer, streamed in small pieces if the request asks for that."""

    def reply(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": 0}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            data = {"id": "x", "object": "chat.completion", "created": 1, "model": "m",
                    "choices": [choice], "usage": usage}  # fmt: skip
            raw(h, 200, json.dumps(data).encode(), Content_Type="application/json")
            return
        open_stream(h)
        for start in range(0, len(text), 40):
            h.wfile.write(chunk(text[start : start + 40]))
        h.wfile.write(chunk(None, finish) + chunk(usage=usage) + b"data: [DONE]\n\n")

    return reply


def from_file(path: Path) -> Reply:
    """What stands in a file, fenced."""
    return says(f"```c\n{path.read_text(encoding='utf-8')}```\n")


def fails(status: int, **headers: str) -> Reply:
    """An error of the server's."""
    body = json.dumps({"error": {"message": f"no {status}", "type": "x"}}).encode()
    return lambda h, asked: raw(h, status, body, Content_Type="application/json", **headers)


def late(seconds: float, then: Reply) -> Reply:
    """An answer after a while."""

    def reply(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        time.sleep(seconds)
        then(h, asked)

    return reply


def breaks_off(text: str) -> Reply:
    """A stream that ends in the middle of an event."""

    def reply(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        open_stream(h)
        h.wfile.write(chunk(text) + b'data: {"id": "x", "choi')

    return reply


def garbage(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    """No JSON at all."""
    if asked.get("stream"):
        open_stream(h)
        h.wfile.write(b"data: {not json at all]\n\n")
    else:
        raw(h, 200, b"<html>hello</html>", Content_Type="application/json")


def endless(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    """Words without end, as fast as they go."""
    open_stream(h)
    while True:
        h.wfile.write(chunk("int x; " * 2000))


def endless_line(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    """One event that never ends."""
    open_stream(h)
    h.wfile.write(b"data: {")
    while True:
        h.wfile.write(b'"' + b"x" * 65536)


def dribbles(h: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
    """A few letters now and then, for ever."""
    open_stream(h)
    while True:
        h.wfile.write(chunk("x"))
        h.wfile.flush()
        time.sleep(0.05)


def redirects(to: str) -> Reply:
    """Sends the client elsewhere."""
    return lambda h, asked: raw(h, 307, b"", Location=to)
