"""The IR's neutral vocabulary, read from `intrinsics.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("xpiler.ir").joinpath("intrinsics.toml").read_text(encoding="utf-8"))


@cache
def math_functions() -> dict[str, int]:
    """Name -> number of arguments of each mathematical function (0: several forms)."""
    arity = {"unary": 1, "binary": 2, "ternary": 3, "predicate": 1, "bits": 0, "convert": 1}
    return {name: arity[group] for group, names in _table()["math"].items() for name in names}


@cache
def instruction_doc(name: str) -> str | None:
    """What the table says of an instruction, or None for an unknown name."""
    table: dict[str, str] = _table()["instr"]
    if name in table:
        return table[name]
    if name.startswith("warp.reduce_"):
        return table["warp.reduce_add"]
    return table.get(name.split(".")[0] + ".*")


def is_collective(name: str) -> bool:
    """Whether lanes of a warp (or threads of a block) act together in this instruction."""
    return name.split(".")[0] in ("warp", "block", "mat", "mma", "ldmatrix", "mfma")
