"""What a kernel's text does not say: entry, extents, values, launch shape (options and sidecar)."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xpiler.analysis.fit import name_of
from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.ir.expr import Binary, BinaryOp, Cast, Const, Expr, Var
from xpiler.ir.types import I64, Type

Size = int | str  # an integer, or an expression in the entry's scalar parameters


@dataclass(frozen=True, slots=True)
class ArgSpec:
    """One parameter of the entry: `extent` in elements, `range` inclusive, scalar `values`.

    `distinct`: no value occurs twice (a permutation, the targets of a scatter).
    """

    extent: Size | None = None
    role: str | None = None
    range: tuple[Size | float, Size | float] | None = None
    values: tuple[int | float, ...] = ()
    distinct: bool | None = None


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """Grid, block and bytes of dynamic shared memory of a kernel that no host code launches."""

    grid: tuple[Size, ...] | None = None
    block: tuple[Size, ...] | None = None
    shared_bytes: Size | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything given from outside; an empty one is the usual case."""

    entry: str | None = None
    args: Mapping[str, ArgSpec] = field(default_factory=dict)
    launch: LaunchSpec = LaunchSpec()
    template: Mapping[str, str] = field(default_factory=dict)

    def arg(self, name: str) -> ArgSpec:
        return self.args.get(name, ArgSpec())

    def merged(self, over: Spec) -> Spec:
        """This one with everything that `over` says taken from there."""
        args = {n: _merge(self.arg(n), over.arg(n)) for n in {*self.args, *over.args}}
        return Spec(
            over.entry or self.entry,
            args,
            _merge(self.launch, over.launch),
            {**self.template, **over.template},
        )


def _merge(base: Any, over: Any) -> Any:
    fields = {k: getattr(over, k) for k in over.__slots__ if getattr(over, k) not in (None, ())}
    return replace(base, **fields)


def load_sidecar(source: Path) -> Spec:
    """The `NAME.spec.toml` beside `source`, or an empty Spec. Raises XpilerError (XP0301)."""
    path = source.with_name(source.name.split(".")[0] + ".spec.toml")
    if not path.is_file():
        return Spec()
    try:
        return parse_spec(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, OSError) as why:
        message = f"{path.name} is not a valid spec: {why}"
        raise XpilerError(Diagnostic("XP0301", message, loc=SourceLoc(str(path), 1))) from why


def parse_spec(data: Mapping[str, Any]) -> Spec:
    """A Spec from parsed TOML; raises ValueError naming what is wrong."""
    unknown = set(data) - {"entry", "args", "launch", "template"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    for key in ("args", "launch", "template"):
        if not isinstance(data.get(key, {}), Mapping):
            raise ValueError(f"{key} is a table")
    args = {name: _arg(name, body) for name, body in data.get("args", {}).items()}
    launch = data.get("launch", {})
    if unknown := set(launch) - {"grid", "block", "shared_bytes"}:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r} of launch")
    grid, block = _triple(launch, "grid"), _triple(launch, "block")
    shape = LaunchSpec(grid, block, launch.get("shared_bytes"))
    return Spec(data.get("entry"), args, shape, dict(data.get("template", {})))


def _arg(name: str, body: Mapping[str, Any]) -> ArgSpec:
    if not isinstance(body, Mapping):
        raise ValueError(f"args.{name} is a table")
    unknown = set(body) - {"extent", "role", "range", "value", "values", "distinct"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r} of argument {name}")
    role = body.get("role")
    if role not in (None, "in", "out", "inout"):
        raise ValueError(f"role of {name} is in, out or inout, not {role!r}")
    values = body.get("values", [body["value"]] if "value" in body else [])
    if not (isinstance(values, list) and all(map(_is_number, values))):
        raise ValueError(f"the value of {name} is a number, `values` a list of them")
    bounds = body.get("range")
    if bounds is not None and not (isinstance(bounds, list) and len(bounds) == 2):
        raise ValueError(f"range of {name} needs two values")
    extent = body.get("extent")
    if not (extent is None or isinstance(extent, str) or (isinstance(extent, int) and extent > 0)):
        raise ValueError(f"extent of {name} is a positive integer or an expression")
    if not isinstance(body.get("distinct", True), bool):
        raise ValueError(f"distinct of {name} is true or false")
    span = None if bounds is None else (bounds[0], bounds[1])
    return ArgSpec(extent, role, span, tuple(values), body.get("distinct"))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _triple(launch: Mapping[str, Any], key: str) -> tuple[Size, ...] | None:
    value = launch.get(key)
    if value is None:
        return None
    items = tuple(value) if isinstance(value, list) else (value,)
    if not 1 <= len(items) <= 3:
        raise ValueError(f"{key} needs one to three values")
    return items + (1,) * (3 - len(items))


_OPS: dict[type[ast.operator], BinaryOp] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/", ast.Mod: "%",
}  # fmt: skip


def size_expr(size: Size, params: Mapping[str, Type]) -> Expr:
    """`size` as an i64 expression over the scalar parameters; raises ValueError for anything else.

    `/` is integer division, as in C.
    """
    if isinstance(size, int):
        return Const(size, I64)

    def go(node: ast.expr) -> Expr:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return Const(node.value, I64)
        if isinstance(node, ast.Name) and node.id in params:
            return Cast(Var(node.id, params[node.id]), I64)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return Binary("-", Const(0, I64), go(node.operand), I64)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPS:
            return Binary(_OPS[type(node.op)], go(node.left), go(node.right), I64)
        raise ValueError(f"{size!r}: only integers, scalar parameters and + - * / % are understood")

    try:
        return go(ast.parse(size.strip(), mode="eval").body)
    except SyntaxError as why:
        raise ValueError(f"{size!r} is no expression") from why


def size_value(size: Size, values: Mapping[str, int | float]) -> int:
    """The value of `size` with the scalars given; raises ValueError."""
    return evaluate(size_expr(size, dict.fromkeys(values, I64)), values)


def evaluate(e: Expr, values: Mapping[str, int | float]) -> int:
    """The value of a size expression; raises ValueError on a division by zero."""
    if isinstance(e, Const):
        return int(e.value)
    if isinstance(e, Cast):
        return evaluate(e.x, values)
    if (name := name_of(e)) is not None:
        return int(values[name])
    assert isinstance(e, Binary)
    a, b = evaluate(e.a, values), evaluate(e.b, values)
    if e.op in ("/", "%"):
        if b == 0:
            raise ValueError("division by zero in a size")
        quotient = abs(a) // abs(b) * (1 if (a >= 0) == (b >= 0) else -1)
        return quotient if e.op == "/" else a - b * quotient
    return {"+": a + b, "-": a - b, "*": a * b}[e.op]
