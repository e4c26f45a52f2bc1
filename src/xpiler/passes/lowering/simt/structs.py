"""Other names for a program's structs, wherever their types occur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from xpiler.ir.program import Program
from xpiler.ir.types import Array, Pointer, Struct, Type


def renamed_structs(program: Program, names: Mapping[str, str]) -> Program:
    """`program` with the structs in `names` called otherwise."""

    def of_type(t: Type) -> Type:
        if isinstance(t, Struct):
            return Struct(names.get(t.name, t.name))
        if isinstance(t, (Pointer, Array)):
            return replace(t, elem=of_type(t.elem))
        return t

    def go(x: Any) -> Any:
        if isinstance(x, Type):
            return of_type(x)
        if isinstance(x, tuple):
            new = tuple(go(v) for v in x)
            return x if all(a is b for a, b in zip(x, new, strict=True)) else new
        if not is_dataclass(x) or isinstance(x, type):
            return x
        parts = {f.name: getattr(x, f.name) for f in fields(x) if f.init}
        changed = {k: v2 for k, v in parts.items() if (v2 := go(v)) is not v}
        return replace(x, **changed) if changed else x

    structs = tuple(replace(d, name=names.get(d.name, d.name)) for d in program.structs)
    out: Program = go(replace(program, structs=structs))
    return out
