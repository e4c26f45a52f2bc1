"""Rewriting of every list of statements in a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xpiler.ir import stmt as s


def each_body(body: s.Body, f: Callable[[s.Body], s.Body]) -> s.Body:
    """`body` with `f` applied to every list of statements, the innermost first."""
    new = tuple(_inner(st, f) for st in body)
    return f(body if all(a is b for a, b in zip(new, body, strict=True)) else new)


def _inner(st: s.Stmt, f: Callable[[s.Body], s.Body]) -> s.Stmt:
    fields: dict[str, s.Body] = {}
    for key in ("body", "then", "orelse"):
        old = getattr(st, key, ())
        new = each_body(old, f) if old else old
        if new is not old:
            fields[key] = new
    return replace(st, **fields) if fields else st  # type: ignore[arg-type]
