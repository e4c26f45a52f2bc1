"""Servers that speak OpenAI's or Anthropic's protocol, through their official clients."""

from __future__ import annotations

import contextlib
import importlib
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from xpiler.neural.provider import Answer, FaultKind, ModelFault, Request, estimate_tokens
from xpiler.neural.transport import TooMuch, bounded_client

_MAX_CHARACTERS = 4 << 20  # of one answer
_CUT = {"length": "length", "max_tokens": "length", "content_filter": "filter", "refusal": "filter"}


@dataclass(frozen=True)
class _Server:
    """A server: its model's name, where it is (None: the vendor's own), and the key."""

    name: str
    model: str
    url: str | None = None
    key: str | None = None
    stream: bool = True

    @property
    def paid(self) -> bool:
        return True

    def __repr__(self) -> str:  # a key never lands in a message
        return f"{type(self).__name__}({self.name!r})"


class OpenAICompatible(_Server):
    """`/chat/completions`: OpenAI itself, vLLM, Ollama, llama.cpp and many others."""

    def ask(self, request: Request, seconds: float) -> Answer:
        """See Provider.ask."""
        library = _library("openai")
        start = time.monotonic()
        with bounded_client(_http(library), self.url, seconds) as http, _faults(library, seconds):
            client = library.OpenAI(
                api_key=self.key or "none", base_url=self.url, max_retries=0, http_client=http
            )
            options = _wishes(request, "temperature", "seed")
            # Servers other than the vendor's know the older name of the limit.
            limit = "max_completion_tokens" if self.url is None else "max_tokens"
            options[limit] = request.max_tokens
            if self.stream:
                options["stream_options"] = {"include_usage": True}
            reply = client.chat.completions.create(
                model=self.model,
                messages=[{"role": m.role, "content": m.text} for m in request.messages],
                stream=self.stream,
                **options,
            )
            text, finish, usage = _streamed(reply) if self.stream else _whole(reply)
        counts = (getattr(usage, n, None) for n in ("prompt_tokens", "completion_tokens"))
        return _answer(self, request, text, finish, tuple(counts), time.monotonic() - start)


class Anthropic(_Server):
    """`/v1/messages`."""

    def ask(self, request: Request, seconds: float) -> Answer:
        """See Provider.ask."""
        library = _library("anthropic")
        start = time.monotonic()
        system = "\n\n".join(m.text for m in request.messages if m.role == "system")
        with bounded_client(_http(library), self.url, seconds) as http, _faults(library, seconds):
            client = library.Anthropic(
                api_key=self.key or "none", base_url=self.url, max_retries=0, http_client=http
            )
            events = client.messages.create(
                model=self.model,
                system=system,
                messages=[
                    {"role": m.role, "content": m.text}
                    for m in request.messages
                    if m.role != "system"
                ],
                max_tokens=request.max_tokens,
                stream=True,
                **_wishes(request, "temperature"),
            )
            text, finish, counts = _events(events)
        return _answer(self, request, text, finish, counts, time.monotonic() - start)


def _wishes(request: Request, *names: str) -> dict[str, Any]:
    """Options that a request sets; the others are left to the server."""
    return {n: v for n in names if (v := getattr(request, n)) is not None}


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as why:
        hint = "pip install 'xpiler[llm]'"
        raise ModelFault("setup", f"the package {name} is not installed: {hint}") from why


def _http(library: Any) -> Any:
    """The HTTP library that a client is built on."""
    base = importlib.import_module(f"{library.__name__}._base_client")
    for name in ("httpx2", "httpx"):
        if hasattr(base, name):
            return getattr(base, name)
    raise ModelFault("setup", f"this version of {library.__name__} is not known")


@contextlib.contextmanager
def _faults(library: Any, seconds: float) -> Any:
    """What a client raises, as a ModelFault."""
    try:
        yield
    except ModelFault:
        raise
    except TooMuch as why:
        raise ModelFault("too long", str(why)) from why
    except library.APITimeoutError as why:
        raise ModelFault("timeout", f"no answer within {seconds:.0f} s") from why
    except library.APIStatusError as why:
        raise _status(why) from why
    except library.APIConnectionError as why:
        cause = why.__cause__ or why
        if isinstance(cause, TooMuch):
            raise ModelFault("too long", str(cause)) from why
        raise ModelFault("connection", _short(cause)) from why
    except Exception as why:  # a body that is no JSON, a stream that ends in the middle, ...
        raise ModelFault("broken answer", f"{type(why).__name__}: {_short(why)}") from why


def _status(why: Any) -> ModelFault:
    code = int(why.status_code)
    kinds: dict[int, FaultKind] = {
        401: "denied", 403: "denied", 404: "not found", 408: "timeout", 409: "server",
        425: "server", 429: "rate limit",
    }  # fmt: skip
    kind = kinds.get(code, "server" if code >= 500 else "bad request")
    return ModelFault(kind, f"status {code}: {_short(why)}", _retry_after(why.response.headers))


def _retry_after(headers: Any) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); nonsense counts as absent."""
    value = str(headers.get("retry-after", "")).strip()
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return seconds if 0 <= seconds < 1e6 else None
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _short(why: object) -> str:
    text = " ".join(str(why).split())
    return text[:200] or type(why).__name__


class _Text:
    """The answer so far; one without end is cut off."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0

    def add(self, part: str | None) -> None:
        if part:
            self.parts.append(part)
            self.length += len(part)
        if self.length > _MAX_CHARACTERS:
            raise TooMuch(f"the answer has more than {_MAX_CHARACTERS} characters")

    def broken(self, why: Exception) -> ModelFault:
        spent = estimate_tokens(self.length)
        kind: FaultKind = "too long" if isinstance(why, TooMuch) else "broken answer"
        said = _short(why) if isinstance(why, TooMuch) else f"the stream broke off: {_short(why)}"
        return ModelFault(kind, said, tokens_out=spent)


def _streamed(reply: Any) -> tuple[str, str, Any]:
    """Text, reason of the end and usage of a stream of chat completions."""
    text, finish, usage = _Text(), "", None
    try:
        for chunk in reply:
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                text.add(choice.delta.content)
                finish = choice.finish_reason or finish
    except Exception as why:
        raise text.broken(why) from why
    if not finish:
        raise text.broken(EOFError("it ended without saying why"))
    return "".join(text.parts), finish, usage


def _whole(reply: Any) -> tuple[str, str, Any]:
    choice = reply.choices[0]
    return choice.message.content or "", choice.finish_reason or "stop", reply.usage


def _events(events: Any) -> tuple[str, str, tuple[int | None, int | None]]:
    """Text, reason of the end and tokens of a stream of messages."""
    text, finish, tokens_in, tokens_out = _Text(), "", None, None
    try:
        for event in events:
            if event.type == "message_start":
                tokens_in = event.message.usage.input_tokens
            elif event.type == "content_block_delta":
                text.add(getattr(event.delta, "text", None))
            elif event.type == "message_delta":
                finish = event.delta.stop_reason or finish
                tokens_out = event.usage.output_tokens
    except Exception as why:
        raise text.broken(why) from why
    if not finish:
        raise text.broken(EOFError("it ended without saying why"))
    return "".join(text.parts), finish, (tokens_in, tokens_out)


def _answer(
    server: _Server,
    request: Request,
    text: str,
    finish: str,
    counts: tuple[int | None, ...],
    seconds: float,
) -> Answer:
    given = [n if isinstance(n, int) and n >= 0 else None for n in counts]
    tokens_in = given[0] if given[0] is not None else estimate_tokens(request.characters)
    tokens_out = given[1] if given[1] is not None else estimate_tokens(len(text))
    ended = _CUT.get(finish, "stop")
    return Answer(text, server.name, tokens_in, tokens_out, seconds, ended)
