"""What several commands share: reading files, options of a kernel, rendering of problems."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.verify.spec import Spec, load_sidecar, parse_spec

F = Callable[..., Any]


def read_source(path: str) -> str:
    """The text of a file, or of standard input for `-`; raises XpilerError (XP0901)."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        reason = why.strerror or str(why) if isinstance(why, OSError) else "it is not UTF-8 text"
        raise XpilerError(Diagnostic("XP0901", f"cannot read {path}", reason=reason)) from why
    if "\0" in text:
        raise XpilerError(Diagnostic("XP0901", f"cannot read {path}", reason="it holds NUL bytes"))
    return text


def write_text(path: Path, text: str) -> None:
    """Write a file, its folder included; raises XpilerError (XP0901)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as why:
        raise XpilerError(Diagnostic("XP0901", f"cannot write {path}: {why.strerror}")) from why


def kernel_options(f: F) -> F:
    """Options that say what a kernel's text does not."""
    options = [
        click.option("--from", "source", metavar="PLATFORM", help="the source's platform"),
        click.option("--arch", help="source architecture, e.g. sm_80, gfx90a, gfx1100"),
        click.option("--entry", help="function or kernel to run when verifying"),
        click.option(
            "--arg",
            "args",
            multiple=True,
            metavar="NAME[.KEY]=VALUE",
            help="value of a scalar, or extent, range, role of a buffer",
        ),
        click.option("--grid", help="blocks: up to three sizes or expressions, by commas"),
        click.option("--block", help="threads a block: up to three sizes, by commas"),
        click.option("--shared-bytes", help="dynamic shared memory of the launch"),
        click.option(
            "--template",
            "template",
            multiple=True,
            metavar="T=ARG",
            help="argument of a template kernel",
        ),
        click.option(
            "-D",
            "--define",
            "defines",
            multiple=True,
            metavar="NAME[=VALUE]",
            help="define a macro",
        ),
        click.option(
            "-I",
            "--include",
            "include_dirs",
            multiple=True,
            metavar="DIR",
            help="folder searched for includes",
        ),
        click.option("--seed", type=int, help="seed of the test inputs (default: a fresh one)"),
        click.option("--no-sandbox", is_flag=True, help="run foreign code without confinement"),
        click.option("--json", "as_json", is_flag=True, help="machine-readable output"),
    ]
    for option in reversed(options):
        f = option(f)
    return f


def spec_of(path: str, given: dict[str, Any]) -> Spec:
    """The sidecar of `path` with the command line's options over it; raises XpilerError."""
    base = load_sidecar(Path(path)) if path != "-" else Spec()
    data: dict[str, Any] = {"args": {}}
    for item in given.get("args", ()):
        _argument(item, data["args"])
    launch: dict[str, Any] = {k: _sizes(given[k]) for k in ("grid", "block") if given.get(k)}
    if given.get("shared_bytes"):
        launch["shared_bytes"] = _size(given["shared_bytes"])
    data["launch"] = launch
    data["template"] = dict(_pair(t, "--template") for t in given.get("template", ()))
    if given.get("entry"):
        data["entry"] = given["entry"]
    try:
        return base.merged(parse_spec(data))
    except ValueError as why:
        raise XpilerError(Diagnostic("XP0905", str(why))) from why


def _pair(item: str, option: str) -> tuple[str, str]:
    name, eq, value = item.partition("=")
    if not (name and eq and value):
        raise XpilerError(Diagnostic("XP0905", f"{option} {item}: NAME=VALUE is wanted"))
    return name, value


def _argument(item: str, out: dict[str, Any]) -> None:
    whole, value = _pair(item, "--arg")
    name, _, key = whole.rpartition(".")
    body: dict[str, Any]
    if key == "range":
        low, colon, high = value.partition(":")
        if not (low and colon and high):
            raise XpilerError(Diagnostic("XP0905", f"--arg {item}: LOW:HIGH is wanted"))
        body = {"range": [_size(low), _size(high)]}
    elif name and key in ("extent", "role"):
        body = {key: _size(value)}
    else:  # a dot may belong to the name: the field of a struct
        name, body = whole, {"values": [_number(v, item) for v in value.split(",")]}
    out.setdefault(name, {}).update(body)


def _number(text: str, item: str) -> int | float:
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as why:
        raise XpilerError(Diagnostic("XP0905", f"--arg {item}: {text!r} is no number")) from why


def _size(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _sizes(text: str) -> list[int | float | str]:
    return [_size(part.strip()) for part in text.split(",")]


def defines_of(items: tuple[str, ...]) -> dict[str, str]:
    """`-D NAME=VALUE` as a mapping; a bare NAME is 1."""
    return {n: v or "1" for n, _, v in (i.partition("=") for i in items)}


def model_options(f: F) -> F:
    """Options that say which model proposes, and within which budget (docs/models.md)."""
    options = [
        click.option(
            "--proposer",
            type=click.Choice(["symbolic", "model", "both"]),
            help="who proposes; both: the model where the symbolic passes fail",
        ),
        click.option("--model", metavar="PROVIDER:NAME", help="e.g. openai:NAME, exchange:DIR"),
        click.option("--model-url", metavar="URL", help="address of an OpenAI-compatible server"),
        click.option("--budget", metavar="KEY=N,...", help="tokens=N,usd=X,seconds=X"),
        click.option("--passes", metavar="PASS,...", help="the passes that a model is asked for"),
        click.option("--samples", type=int, help="answers asked for at once"),
        click.option("--ask-again", type=int, help="times that a wrong answer goes back"),
        click.option("--no-repair", is_flag=True, help="do not mend a wrong answer"),
        click.option("--no-fallback", is_flag=True, help="the symbolic passes do not step in"),
    ]
    for option in reversed(options):
        f = option(f)
    return f


def model_settings(given: dict[str, Any]) -> Any:
    """Settings for the model (neural.settings.Settings); raises XpilerError.

    None where nothing is said of one, which costs no look at files.
    """
    from xpiler.neural.settings import settings

    stated = {
        "proposer": given["proposer"],
        "model": given["model"],
        "url": given["model_url"],
        "budget": given["budget"],
        "passes": given["passes"],
        "samples": given["samples"],
        "ask_again": given["ask_again"],
        "repair": False if given["no_repair"] else None,
        "fall_back": False if given["no_fallback"] else None,
    }
    return settings(stated)
