"""Walking and rebuilding trees: one generic mechanism for expressions, statements and bodies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from xpiler.ir.expr import Expr, Var
from xpiler.ir.stmt import Body, Case, Stmt

Node = Expr | Stmt | Case
N = TypeVar("N", Expr, Stmt, Case)


_FIELDS: dict[type, tuple[str, ...]] = {}


def _child_fields(kind: Any) -> tuple[str, ...]:
    if kind not in _FIELDS:
        skip = ("loc", "comments", "type")
        _FIELDS[kind] = tuple(f.name for f in dataclasses.fields(kind) if f.name not in skip)
    return _FIELDS[kind]


_NODES = (Expr, Stmt, Case)


def _is_node(value: object) -> bool:
    return isinstance(value, _NODES)


def children(node: Node) -> Iterator[Node]:
    """The direct sub-expressions and sub-statements, in source order."""
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, _NODES):
            yield value
        elif isinstance(value, tuple):
            for v in value:
                if isinstance(v, _NODES):
                    yield v


def walk(node: Node | Body) -> Iterator[Node]:
    """Every node below and including `node`, parents first."""
    stack: list[Node] = list(reversed(node)) if isinstance(node, tuple) else [node]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(reversed(list(children(item))))


def walk_exprs(node: Node | Body) -> Iterator[Expr]:
    """Every expression in `node`."""
    return (n for n in walk(node) if isinstance(n, Expr))


def variables(node: Node | Body) -> set[str]:
    """Names of all variables that occur in `node` (declared, read or written)."""
    return {n.name for n in walk(node) if isinstance(n, Var)}


def map_children(node: N, f: Callable[[Any], Any]) -> N:
    """`node` with `f` applied to each direct child; the same object when nothing changed.

    For a statement child inside a body tuple `f` may return a statement or a tuple of statements
    (spliced in place; () removes it).
    """
    changes: dict[str, Any] = {}
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if _is_node(value):
            new = f(value)
        elif isinstance(value, tuple) and any(_is_node(v) for v in value):
            new = _map_tuple(value, f)
        else:
            continue
        if new is not value:
            changes[name] = new
    return _rebuilt(node, changes) if changes else node


def _rebuilt(node: Any, changes: dict[str, Any]) -> Any:
    return dataclasses.replace(node, **changes)


def _map_tuple(items: tuple[Any, ...], f: Callable[[Any], Any]) -> tuple[Any, ...]:
    out: list[Any] = []
    same = True
    for item in items:
        new = f(item) if _is_node(item) else item
        same = same and new is item
        out.extend(new) if isinstance(new, tuple) else out.append(new)
    return items if same else tuple(out)


def map_body(body: Body, f: Callable[[Stmt], Stmt | Body]) -> Body:
    """`body` with `f` applied to each statement, results spliced."""
    return _map_tuple(body, f)


def rewrite_exprs(node: Any, f: Callable[[Expr], Expr]) -> Any:
    """`node` (also a body) with `f` applied to every expression, children first."""

    def go(n: Any) -> Any:
        new = map_children(n, go)
        return f(new) if isinstance(new, Expr) else new

    return _map_tuple(node, go) if isinstance(node, tuple) else go(node)


def rewrite_stmts(node: Any, f: Callable[[Stmt], Stmt | Body]) -> Any:
    """`node` (statement or body) with `f` applied to every statement, children first."""

    def go(n: Any) -> Any:
        if isinstance(n, Expr):
            return n
        new = map_children(n, go)
        return f(new) if isinstance(new, Stmt) else new

    return _map_tuple(node, go) if isinstance(node, tuple) else go(node)


def substitute(node: Any, mapping: Mapping[str, Expr]) -> Any:
    """`node` with variables replaced by expressions (names are unique, so nothing is captured)."""
    if not mapping:
        return node
    return rewrite_exprs(node, lambda e: mapping.get(e.name, e) if isinstance(e, Var) else e)


def fresh_name(base: str, taken: set[str]) -> str:
    """`base`, or `base.1`, `base.2`, ... : the first that is not in `taken`, which it joins."""
    stem = base.split(".")[0]
    name, k = stem, 0
    while name in taken:
        k += 1
        name = f"{stem}.{k}"
    taken.add(name)
    return name
