"""Which model is asked and how: from the command line, the environment and settings files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.neural.budget import Limits, parse_limits
from xpiler.neural.prices import Price, prices_from

Proposer = Literal["symbolic", "model", "both"]
DEFAULT_LIMITS = Limits(tokens=1_000_000, seconds=3600.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """How proposals are made.

    `model` is PROVIDER:NAME; `url` a server's address and `key_env` the variable that holds its
    key. `ask_again` counts the times that an answer goes back with what is wrong with it; `repair`
    and `fall_back` say whether a wrong answer is mended and whether the symbolic pass steps in.
    `samples` answers are asked for at once. `passes` replaces the usual passes of a direction.
    `entries` is a folder of descriptions of instructions, to read from and to write hypotheses to.
    `purse` is a file by which several processes share the budget. Seconds throughout.
    """

    proposer: Proposer = "symbolic"
    model: str = ""
    url: str | None = None
    key_env: str | None = None
    budget: Limits = DEFAULT_LIMITS
    passes: tuple[str, ...] = ()
    samples: int = 1
    ask_again: int = 2
    repair: bool = True
    fall_back: bool = True
    max_tokens: int = 8192
    temperature: float | None = None
    seed: int | None = None
    timeout: float = 300.0
    retries: int = 4
    at_once: int = 4
    stream: bool = True
    cache: bool = True
    wait: float = 3600.0
    repair_seconds: float = 60.0
    entries: str = ""
    prices: Mapping[str, Price] = field(default_factory=dict)
    purse: Path | None = None


def bad_setting(message: str, help: str = "") -> XpilerError:
    """A setting that is not understood (XP1502)."""
    return XpilerError(Diagnostic("XP1502", message, help=help))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return words[str(value).lower()]


def _count(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value)
        if isinstance(value, (bool, float)) or not low <= number <= high:
            raise ValueError
        return number

    return read


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 < number <= 1e6:
        raise ValueError
    return number


def _proposer(value: Any) -> Proposer:
    if value not in get_args(Proposer):
        raise ValueError
    return value  # type: ignore[no-any-return]


def _limits(value: Any) -> Limits:
    if isinstance(value, Mapping):
        value = ",".join(f"{k}={v}" for k, v in value.items())
    return parse_limits(str(value), DEFAULT_LIMITS)


def _names(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    return tuple(str(item).strip() for item in items if str(item).strip())


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "proposer": (_proposer, "symbolic, model or both"),
    "model": (str, "PROVIDER:NAME"),
    "url": (str, "an address"),
    "key_env": (str, "the name of a variable"),
    "budget": (_limits, "tokens=N,usd=X,seconds=X"),
    "passes": (_names, "names of passes"),
    "samples": (_count(1, 32), "1 to 32"),
    "ask_again": (_count(0, 20), "0 to 20"),
    "repair": (_flag, "true or false"),
    "fall_back": (_flag, "true or false"),
    "max_tokens": (_count(16, 1 << 20), "16 to 1048576"),
    "temperature": (float, "a number"),
    "seed": (_count(0, (1 << 63) - 1), "an integer from 0 up"),
    "timeout": (_seconds, "seconds"),
    "retries": (_count(0, 100), "0 to 100"),
    "at_once": (_count(1, 256), "1 to 256"),
    "stream": (_flag, "true or false"),
    "cache": (_flag, "true or false"),
    "wait": (_seconds, "seconds"),
    "repair_seconds": (_seconds, "seconds"),
    "entries": (str, "a folder"),
    "prices": (prices_from, "a table of models with `input` and `output`"),
}
_SECRETS = ("key", "api_key", "token", "secret", "password")
_HERS = ("url", "key_env")  # what a project's file does not decide: where prompts and keys go


def read_settings(given: Mapping[str, Any], where: str, base: Settings) -> Settings:
    """`base` with the settings in a table over it; raises XpilerError (XP1502, XP1509)."""
    changes: dict[str, Any] = {}
    for raw, value in given.items():
        name = raw.replace("-", "_")
        if name in _SECRETS:
            message = f"{where}: {raw} does not belong into a file"
            hint = "keys are read from the environment only: OPENAI_API_KEY, ANTHROPIC_API_KEY"
            raise XpilerError(Diagnostic("XP1509", message, help=hint))
        if name not in READERS:
            raise bad_setting(f"{where}: {raw} is not known", f"one of: {', '.join(READERS)}")
        read, wanted = READERS[name]
        try:
            changes[name] = read(value)
        except (ValueError, KeyError, TypeError, OverflowError) as why:
            said = str(why) if isinstance(why, ValueError) and str(why) else f"{wanted} is wanted"
            raise bad_setting(f"{where}: {raw} = {value!r}", said) from why
    return replace(base, **changes)


def settings(
    given: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """All settings: the user's file, the project's, the environment (XPILER_*), then `given`.

    With a model and no word about proposers, both are asked: the symbolic passes first. Raises
    XpilerError (XP1502, XP1509, XP1510).
    """
    env = os.environ if environment is None else environment
    found = Settings()
    named = False
    for path, own in _files(folder or Path.cwd(), env):
        table = _table(path)
        if not own:
            _check_project(table, path)
        found = read_settings(table, str(path), found)
        named = named or "proposer" in table
    said = {n: env[v] for n in READERS if n != "prices" and (v := f"XPILER_{n.upper()}") in env}
    found = read_settings(said, "environment", found)
    stated = {n: v for n, v in (given or {}).items() if v is not None and v != ()}
    found = read_settings(stated, "option", found)
    if found.model and not (named or "proposer" in said or "proposer" in stated):
        pretends = found.model.startswith("noisy")
        found = replace(found, proposer="model" if pretends else "both")
    return found


def _files(folder: Path, env: Mapping[str, str]) -> list[tuple[Path, bool]]:
    """Settings files that exist, weakest first, and whether they are the user's own."""
    home = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "~")).expanduser() / ".config")
    out = [(home / "xpiler" / "xpiler.toml", True)]
    for place in (folder, *folder.parents):
        here = [f for n in ("pyproject.toml", "xpiler.toml") if (f := place / n).is_file()]
        if here:
            out += [(f, False) for f in here]
            break
    return [(f, own) for f, own in out if f.is_file()]


def _table(path: Path) -> dict[str, Any]:
    """`[tool.xpiler]` of a file; of an `xpiler.toml` also what stands at its top."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        if path.name == "pyproject.toml":
            return {}  # not ours to judge
        raise bad_setting(f"{path} cannot be read", str(why)) from why
    inner = data.pop("tool", {}).get("xpiler", {}) if isinstance(data.get("tool"), dict) else {}
    return {**data, **inner} if path.name == "xpiler.toml" else dict(inner)


def _check_project(table: Mapping[str, Any], path: Path) -> None:
    """A folder of a stranger's must not send prompts and keys where the stranger likes."""
    for raw, value in table.items():
        name = raw.replace("-", "_")
        if name in _HERS and not (name == "url" and is_loopback(str(value))):
            message = f"{path}: a project's file does not decide {raw}"
            hint = f"give it as XPILER_{name.upper()}, or in ~/.config/xpiler/xpiler.toml"
            raise XpilerError(Diagnostic("XP1510", message, help=hint))


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = (urlsplit(url).hostname or "").lower()
    return host in ("localhost", "::1") or host.startswith("127.")
