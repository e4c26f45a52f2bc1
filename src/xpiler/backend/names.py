"""C names for the IR's variables, functions and globals: short, legal, and hiding nothing."""

from __future__ import annotations

import re

from xpiler.ir import stmt as s
from xpiler.ir.program import Function

_RESERVED = re.compile(r"_[A-Z_]")


def legal(stem: str) -> str:
    """`stem` as a C identifier that is not reserved for the implementation."""
    name = (
        re.sub(r"\W+", "_", stem.split(".")[0], flags=re.ASCII).strip("_") if _odd(stem) else stem
    )
    if not name or name[0].isdigit():
        name = f"v{name}"
    return name.lstrip("_") if _RESERVED.match(name) else name


def _odd(stem: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", stem, re.ASCII) is None


def free_name(stem: str, reserved: frozenset[str] | set[str], taken: set[str]) -> str:
    """`stem`, `stem_` where the language has taken it, or numbered where the program has."""
    base = legal(stem)
    while base in reserved:
        base += "_"
    name, k = base, 1
    while name in taken or name in reserved:
        k += 1
        name = f"{base}_{k}" if base[-1].isdigit() else f"{base}{k}"
    return name


class _Namer:
    """Walks a function's scopes; a name may come again in a scope beside, never in one inside."""

    def __init__(self, reserved: frozenset[str]) -> None:
        self.reserved = reserved
        self.names: dict[str, str] = {}

    def declare(self, name: str, visible: set[str]) -> None:
        self.names[name] = free_name(name, self.reserved, visible)
        visible.add(self.names[name])

    def body(self, body: s.Body, visible: set[str]) -> None:
        inside = set(visible)
        for st in body:
            self.statement(st, inside)

    def statement(self, st: s.Stmt, visible: set[str]) -> None:
        if isinstance(st, s.Decl):
            self.declare(st.var.name, visible)
        elif isinstance(st, s.For):
            inside = set(visible)
            self.declare(st.var.name, inside)
            self.body(st.body, inside)
        elif isinstance(st, s.While):
            self.body((*st.body, *st.step), visible)
        elif isinstance(st, s.Scope):
            self.body(st.body, visible)
        elif isinstance(st, s.If):
            self.body(st.then, visible)
            self.body(st.orelse, visible)
        elif isinstance(st, s.Switch):
            for case in st.cases:
                self.body(case.body, visible)


def local_names(f: Function, reserved: frozenset[str]) -> dict[str, str]:
    """IR variable -> C name for everything that `f` declares.

    `reserved` holds the language's words and the names at file scope, which no local may hide.
    """
    namer = _Namer(reserved)
    visible: set[str] = set()
    for p in f.params:
        namer.declare(p.name, visible)
    for st in f.body:
        namer.statement(st, visible)
    return namer.names
