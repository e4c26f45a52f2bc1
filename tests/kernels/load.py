"""Reads the kernel collection: its cases, seeded inputs for them, and expected outputs from NumPy.

A folder `OP/` holds kernels (`*.cu`, `*.hip`, `*.mlu`, `*.c`), `reference.py` (the operator's
definition as plain NumPy functions) and `cases.toml` with one `[[case]]` a kernel file:

    file, entry, kind        kind is "function" (a host wrapper) or "kernel"
    reference                function of reference.py; it receives, by parameter name, arrays and
                             scalars of the case, the sizes, and the constants under `with`
    args                     in order: name, ctype, kind (in, out, inout, scalar); buffers have a
                             shape (expressions in the sizes), scalars a value; `as` renames an
                             argument for the reference; `range` bounds the drawn values
                             (inclusive for integers); `distinct` asks for a permutation
    sizes                    one or more tables of named sizes
    launch                   kernels only: grid, block, shared_bytes
    tolerance                atol and rtol
    expect                   per target, or for `all` that are not named: "verified", "refused" or
                             "unsound_source"; `diagnostic` names the code of a refusal, `finding`
                             the fault of an unsound source

Expressions are integers, size names, `+ - * / %` (division as in C) and `max`/`min`.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import math
import operator
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Sizes = Mapping[str, int]
Kind = Literal["in", "out", "inout", "scalar"]

ROOT = Path(__file__).parent

#: C type of an element -> name of the NumPy type that carries it; bf16 travels as its bits.
DTYPES: dict[str, str] = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bf16": "uint16",
    "int": "int32",
    "unsigned": "uint32",
    "int8_t": "int8",
    "int16_t": "int16",
    "uint16_t": "uint16",
    "uint8_t": "uint8",
    "long long": "int64",
    "unsigned long long": "uint64",
    "size_t": "uint64",
    "bool": "uint8",
}

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., int]] = {"max": max, "min": min}


@dataclass(frozen=True)
class Argument:
    """One parameter of an entry point, in C order."""

    name: str
    ctype: str
    kind: Kind
    shape: tuple[int | str, ...] = ()
    value: int | float | str | None = None
    range: tuple[int | float | str, int | float | str] = (-1.0, 1.0)
    distinct: bool = False
    alias: str = ""

    @property
    def reads(self) -> bool:
        """Whether the caller fills this buffer."""
        return self.kind in ("in", "inout")

    @property
    def writes(self) -> bool:
        """Whether the kernel fills this buffer."""
        return self.kind in ("out", "inout")


@dataclass(frozen=True)
class Case:
    """One kernel file with what it must compute and what is expected of its translation."""

    path: Path
    entry: str
    kind: Literal["function", "kernel"]
    reference: str
    args: tuple[Argument, ...]
    sizes: tuple[Sizes, ...]
    constants: Mapping[str, Any]
    launch: Mapping[str, Any]
    atol: float
    rtol: float
    expect: Mapping[str, str]

    @property
    def id(self) -> str:
        """Folder and file name, e.g. `softmax/warp_rows.cu`."""
        return str(self.path.relative_to(ROOT))

    @property
    def platform(self) -> str:
        """The platform's name, from the suffix."""
        return {".cu": "cuda", ".hip": "hip", ".mlu": "bang", ".c": "c"}[self.path.suffix]


def evaluate(expression: int | str, sizes: Sizes) -> int:
    """Value of an integer expression in the sizes. Raises ValueError on anything else."""
    if isinstance(expression, int):
        return expression
    return _walk(ast.parse(expression, mode="eval").body, sizes)


def _walk(node: ast.expr, sizes: Sizes) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return sizes[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_walk(inner, sizes)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_walk(left, sizes), _walk(right, sizes))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_walk(arg, sizes) for arg in args))
    raise ValueError(f"not an integer expression: {ast.unparse(node)}")


def operators() -> list[str]:
    """Names of the folders that hold cases."""
    return sorted(path.parent.name for path in ROOT.glob("*/cases.toml"))


def cases(op: str | None = None) -> Iterator[Case]:
    """Every case of one operator, or of all."""
    for folder in [op] if op else operators():
        table = tomllib.loads((ROOT / folder / "cases.toml").read_text())
        for entry in table["case"]:
            yield _case(ROOT / folder, entry)


def _case(folder: Path, entry: Mapping[str, Any]) -> Case:
    return Case(
        path=folder / entry["file"],
        entry=entry["entry"],
        kind=entry["kind"],
        reference=entry["reference"],
        args=tuple(_argument(arg) for arg in entry["args"]),
        sizes=tuple(entry["sizes"]),
        constants=entry.get("with", {}),
        launch=entry.get("launch", {}),
        atol=float(entry["tolerance"]["atol"]),
        rtol=float(entry["tolerance"]["rtol"]),
        expect=entry["expect"],
    )


def _argument(entry: Mapping[str, Any]) -> Argument:
    drawn = entry.get("range", (-1.0, 1.0))
    return Argument(
        name=entry["name"],
        ctype=entry["ctype"],
        kind=entry["kind"],
        shape=tuple(entry.get("shape", ())),
        value=entry.get("value"),
        range=(drawn[0], drawn[1]),
        distinct=entry.get("distinct", False),
        alias=entry.get("as", entry["name"]),
    )


def shape(argument: Argument, sizes: Sizes) -> tuple[int, ...]:
    """Concrete shape of a buffer argument."""
    return tuple(evaluate(extent, sizes) for extent in argument.shape)


def scalar(argument: Argument, sizes: Sizes) -> int | float:
    """Concrete value of a scalar argument; without one it is the size of the same name."""
    value = argument.name if argument.value is None else argument.value
    return value if isinstance(value, float) else evaluate(value, sizes)


Triple = tuple[int, int, int]


def launch(case: Case, sizes: Sizes) -> tuple[Triple, Triple, int]:
    """Grid, block and dynamic shared bytes of a kernel case; ones for a function."""
    grid, block = (_triple(case.launch.get(key, (1, 1, 1)), sizes) for key in ("grid", "block"))
    return grid, block, evaluate(case.launch.get("shared_bytes", 0), sizes)


def _triple(extents: tuple[int | str, ...], sizes: Sizes) -> Triple:
    x, y, z = (evaluate(extent, sizes) for extent in extents)
    return x, y, z


def inputs(case: Case, sizes: Sizes, seed: int = 0) -> dict[str, Array]:
    """The filled buffers (kinds in and inout), as raw arrays of the carrier type."""
    rng = np.random.default_rng(seed)
    return {arg.name: _draw(arg, sizes, rng) for arg in case.args if arg.reads}


def _draw(arg: Argument, sizes: Sizes, rng: np.random.Generator) -> Array:
    extents = shape(arg, sizes)
    low, high = (_bound(bound, sizes) for bound in arg.range)
    if arg.distinct:
        pool = rng.permutation(np.arange(int(low), int(high) + 1))[: math.prod(extents)]
        return pool.reshape(extents).astype(DTYPES[arg.ctype])
    if arg.ctype == "bf16":
        return to_bf16(rng.uniform(low, high, extents).astype(np.float32))
    if np.issubdtype(DTYPES[arg.ctype], np.floating):
        return rng.uniform(low, high, extents).astype(DTYPES[arg.ctype])
    return rng.integers(int(low), int(high), extents, DTYPES[arg.ctype], endpoint=True)


def _bound(bound: int | float | str, sizes: Sizes) -> float:
    return evaluate(bound, sizes) if isinstance(bound, str) else bound


def to_bf16(values: Array) -> Array:
    """Bits of the nearest bfloat16 (ties to even) of finite float32 values."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widen(values: Array, ctype: str) -> Array:
    """Carrier values as float64 or int64, so that definitions need no care for types."""
    if ctype == "bf16":
        return (values.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    wide = np.float64 if np.issubdtype(values.dtype, np.floating) else np.int64
    return values.astype(wide)


@cache
def _module(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"kernel_reference_{folder.name}", folder / "reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(case: Case, sizes: Sizes, drawn: Mapping[str, Array]) -> dict[str, Array]:
    """Every written buffer by argument name, in float64 or int64, from the reference."""
    function = getattr(_module(case.path.parent), case.reference)
    given: dict[str, Any] = dict(sizes) | dict(case.constants)
    for arg in case.args:
        if arg.kind == "scalar":
            given[arg.alias] = scalar(arg, sizes)
        elif arg.reads:
            given[arg.alias] = widen(drawn[arg.name], arg.ctype)
    known = {name: given[name] for name in inspect.signature(function).parameters if name in given}
    return _by_argument(case, sizes, function(**known))


def _by_argument(case: Case, sizes: Sizes, result: Any) -> dict[str, Array]:
    written = [arg for arg in case.args if arg.writes]
    parts = result if isinstance(result, tuple) else (result,)
    assert len(parts) == len(written), f"{case.id}: reference gives {len(parts)} outputs"
    return {
        arg.name: np.broadcast_to(np.asarray(part), shape(arg, sizes))
        for arg, part in zip(written, parts, strict=True)
    }


def mismatch(case: Case, name: str, got: Array, want: Array) -> str:
    """Empty when a buffer agrees within the case's tolerance, else the worst element."""
    arg = next(arg for arg in case.args if arg.name == name)
    have = widen(got, arg.ctype).reshape(want.shape)
    bad = ~(np.abs(have - want) <= case.atol + case.rtol * np.abs(want))
    if not bad.any():
        return ""
    worst = np.unravel_index(np.argmax(np.where(bad, np.abs(have - want), -1.0)), want.shape)
    where = [int(i) for i in worst]
    return f"{name}{where}: {have[worst]} != {want[worst]} ({int(bad.sum())} of {bad.size} differ)"
