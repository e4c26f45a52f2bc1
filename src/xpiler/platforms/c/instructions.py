"""The table of covered intrinsics, read off the semantics files by the parser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FILES = ("arithmetic", "memory", "convert", "shuffle", "reduce", "scalar")
_UNIT = "/xpiler/unit.c"
_PUBLIC = re.compile(r"_mm\d*_|_k|_cvt|_bzhi|_tzcnt|_lzcnt|_bls|_load_mask|_store_mask")


@dataclass(frozen=True, slots=True)
class Instruction:
    """A function of the semantics: parameters as (name, type), its result, where it stands."""

    name: str
    result: str
    params: tuple[tuple[str, str], ...]
    file: str
    line: int


@cache
def instructions() -> tuple[Instruction, ...]:
    """Every intrinsic that the semantics define, in the order of the files."""
    from clang import cindex

    stubs = [str(FOLDER / "stubs"), str(FOLDER.parent / "_simt" / "stubs")]
    arguments = ["-x", "c", "-std=c17", "-nostdinc", "-w", "-flax-vector-conversions=all",
                 "-march=sapphirerapids", "-include", "c.h"]  # fmt: skip
    arguments += [a for folder in stubs for a in ("-isystem", folder)]
    unit = cindex.Index.create().parse(_UNIT, arguments, [(_UNIT, "#include <immintrin.h>\n")])
    return tuple(_instruction(c) for c in unit.cursor.get_children() if _covered(c))


def _covered(c: Any) -> bool:
    function = c.kind.name == "FUNCTION_DECL" and c.is_definition()
    return function and bool(_PUBLIC.match(c.spelling))


def _instruction(c: Any) -> Instruction:
    params = tuple((a.spelling, a.type.spelling) for a in c.get_arguments())
    file = Path(str(c.location.file.name)).stem
    return Instruction(c.spelling, c.result_type.spelling, params, file, c.location.line)


def table() -> str:
    """The documentation's page: intrinsics by file, the masked forms beside their plain ones."""
    out = [
        "# Covered AVX-512 and VNNI intrinsics",
        "",
        f"{len(instructions())} functions of `<immintrin.h>` are understood when C is read.",
        "Generated from `src/xpiler/platforms/c/semantics` by `xpiler.platforms.c.instructions`.",
    ]
    for file in FILES:
        out += ["", f"## {_title(file)}", "", "| intrinsic | forms |", "|---|---|"]
        out += [f"| `{name}` | {forms} |" for name, forms in sorted(_families(file).items())]
    return "\n".join(out) + "\n"


def _title(file: str) -> str:
    first = (FOLDER / "semantics" / f"{file}.cpp").read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("// ").rstrip(".")


def _families(file: str) -> dict[str, str]:
    """The widths and masks in which each operation of a file comes."""
    found: dict[str, list[str]] = {}
    for one in instructions():
        if one.file == file:
            match = re.match(r"(_mm\d*)_(mask3|maskz|mask)?_?(.*)", one.name)
            name = f"_mm*_{match[3]}" if match else one.name
            width = match[1].removeprefix("_mm") or "128" if match else ""
            kind = f" {match[2]}" if match and match[2] else ""
            found.setdefault(name, []).append(f"{width}{kind}".strip())
    return {name: ", ".join(dict.fromkeys(forms)) for name, forms in found.items()}


if __name__ == "__main__":
    print(table(), end="")
