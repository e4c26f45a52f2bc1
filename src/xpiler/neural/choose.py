"""From a model's name to whoever answers: `PROVIDER:NAME` and the settings give an `Asker`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.host.cache import cache_dir
from xpiler.neural.asker import Asker, Patience
from xpiler.neural.budget import Budget
from xpiler.neural.clients import Anthropic, OpenAICompatible
from xpiler.neural.exchange import Exchange
from xpiler.neural.noisy import Injector, Noisy
from xpiler.neural.prices import FREE, Price, price_of
from xpiler.neural.provider import ModelFault, Provider
from xpiler.neural.replay import load
from xpiler.neural.settings import Settings, is_loopback


@dataclass(frozen=True, slots=True)
class Vendor:
    """A kind of server: its client, its usual address (None: the vendor's), its key's variable."""

    client: Callable[..., Provider]
    url: str | None
    key_env: str


VENDORS: dict[str, Vendor] = {
    "openai": Vendor(OpenAICompatible, None, "OPENAI_API_KEY"),
    "anthropic": Vendor(Anthropic, None, "ANTHROPIC_API_KEY"),
    "ollama": Vendor(OpenAICompatible, "http://localhost:11434/v1", ""),
    "vllm": Vendor(OpenAICompatible, "http://localhost:8000/v1", ""),
    "llamacpp": Vendor(OpenAICompatible, "http://localhost:8080/v1", ""),
    "server": Vendor(OpenAICompatible, "", ""),
}
KINDS = (*(f"{name}:MODEL" for name in VENDORS), "exchange:DIR", "replay:TRACE", "noisy:RATE")


def asker(
    settings: Settings,
    injector: Injector | None = None,
    environment: Mapping[str, str] | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Asker:
    """Whoever answers under these settings; raises XpilerError (XP1501, XP1503).

    `injector` makes the faults of `noisy`, which there is none of without it.
    """
    kind, colon, name = settings.model.partition(":")
    if not (colon and name):
        raise _unknown(settings.model)
    budget = Budget(settings.budget, settings.purse)
    patience = Patience(settings.timeout, settings.retries)
    env = os.environ if environment is None else environment
    if kind in VENDORS:
        server = _server(VENDORS[kind], name, settings, env)
        price = price_for(settings)
        cache = cache_dir("answers") if settings.cache else None
        return Asker(server, budget, price, cache, patience, settings.at_once, log=log)
    return Asker(_other(kind, name, settings, injector), budget, FREE, None, patience, log=log)


def price_for(settings: Settings) -> Price | None:
    """What the model's tokens cost: nothing on this machine, None where nobody has said it."""
    kind, _, name = settings.model.partition(":")
    if kind not in VENDORS:
        return FREE
    url = settings.url or VENDORS[kind].url
    return price_of(name, settings.prices) or (FREE if url and is_loopback(url) else None)


def _server(vendor: Vendor, name: str, settings: Settings, env: Mapping[str, str]) -> Provider:
    url = settings.url or vendor.url
    if url == "":
        message = f"{settings.model}: where is the server?"
        raise XpilerError(Diagnostic("XP1501", message, help="give --model-url, or XPILER_URL"))
    # The vendor's key goes to the vendor alone: another address has to be given its own.
    variable = settings.key_env or (vendor.key_env if url is None else "")
    key = env.get(variable) if variable else None
    if variable and not key:
        message = f"{settings.model} needs a key"
        raise XpilerError(Diagnostic("XP1503", message, help=f"set {variable} in the environment"))
    return vendor.client(settings.model, name, url, key, settings.stream)


def _other(kind: str, name: str, settings: Settings, injector: Injector | None) -> Provider:
    if kind == "exchange":
        return Exchange(Path(name), settings.wait)
    if kind == "replay":
        try:
            return load(map(Path, name.split(",")))
        except ModelFault as why:
            raise XpilerError(Diagnostic("XP1501", why.message)) from why
    if kind == "noisy" and injector is not None:
        rate, _, insight = name.partition(":")
        try:
            chances = float(rate), float(insight or 0.1)
        except ValueError as why:
            raise _unknown(settings.model) from why
        if all(0 <= c <= 1 for c in chances):
            return Noisy(chances[0], injector, chances[1], settings.seed or 0)
    raise _unknown(settings.model)


def _unknown(model: str) -> XpilerError:
    message = f"no model is called {model!r}" if model else "no model is named"
    hint = f"one of: {', '.join(KINDS)}; see docs/models.md"
    return XpilerError(Diagnostic("XP1501", message, help=hint))
