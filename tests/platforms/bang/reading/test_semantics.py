"""Every instruction of semantics/*.cpp does what the emulator, which shares nothing with it, does.

The calls are made from the functions' own parameter lists, so a new entry is covered the day it
is added; a parameter name that is not known here fails the test.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from xpiler.backend import write_unit
from xpiler.frontend.parse import read
from xpiler.passes.recovery import LaunchShape, recover
from xpiler.platforms.registry import platform
from xpiler.verify.execution import build, execute
from xpiler.verify.invocation import BufferArg, Invocation

ROOM = 2048
BATCH = 16
INTS = {"n": 128, "bytes": 256, "period": 16, "bits": 3, "H": 8, "W": 8, "C": 2, "KH": 2, "KW": 3,
        "SW": 1, "SH": 2, "M": 4, "K": 32, "N": 64, "height": 64, "width": 32, "Ci": 32, "Co": 64,
        "top": 1, "bottom": 2, "left": 1, "right": 1, "pos": 0, "dst_pos": 0, "src_pos": 0,
        "length": 64, "count": 8, "dst_stride": 64, "src_stride": 32, "stride": 512,
        "segments": 3, "dst_stride0": 64, "dst_segments1": 1, "dst_stride1": 256,
        "dst_segments2": 1, "src_stride0": 32, "src_segments1": 3, "src_stride1": 0,
        "src_segments2": 0}  # fmt: skip
SPECIAL = {"__memcpy": {"bytes": 32}, "__memcpy_async": {"bytes": 32}, "__bang_move": {"bytes": 32},
           "__gather": {"bytes": 16}, "__scatter": {"bytes": 16},
           "__bang_conv": {"H": 4, "W": 4}, "__bang_conv_partial": {"H": 4, "W": 4},
           "__bang_reshape_filter": {"H": 1, "W": 1, "C": 16},
           "__gdramset": {"n": 16}, "__nramset_async": {"n": 16}}  # fmt: skip
ONLY_FLOAT = ("sqrt", "rsqrt", "recip", "sin", "cos", "log2", "log", "pow2", "floor", "ceil",
              "round", "trunc", "incseq")  # fmt: skip
ONLY_INT = ("rem", "sra", "lut", "and", "or", "xor", "inc", "dec")
#: Not an instruction's own name, or at work in memories that a single task does not have.
HELPERS = {
    "__bang_relun_value",
    "__bang_sigmoid",
    "__sramset",
    "__ldramset",
    "__load_sram",
    "__store_sram",
}


@dataclass(frozen=True)
class Entry:
    name: str
    params: tuple[tuple[str, str], ...]
    result: str


@cache
def entries() -> tuple[Entry, ...]:
    """Every function of the semantics whose name the platform's users write."""
    from clang import cindex

    words = platform("bang").words
    args = [*words.clang, "-nostdinc", "-Wno-everything", "-D__BANG_ARCH__=592", "-DXP_WAVE=1"]
    args += [a for folder in words.stubs for a in ("-isystem", folder)]
    unit = cindex.Index.create().parse("t.cu", [*args, "-include", words.prelude], [("t.cu", "")])
    found: dict[Entry, None] = {}
    for c in unit.cursor.get_children():
        inside = c.location.file and "semantics" in str(c.location.file)
        if inside and c.spelling.startswith("__") and c.spelling not in HELPERS:
            kids = [k for k in c.get_children() if k.kind.name == "PARM_DECL"]
            params = tuple((k.spelling, k.type.spelling) for k in kids)
            found[Entry(c.spelling, params, c.result_type.spelling)] = None
    return tuple(found)


def _pointer(entry: Entry, name: str, spelled: str, t: str) -> str:
    elem = spelled.replace("const ", "").replace("*", "").strip()
    own = {"D": t, "S": t, "T": t, "A": t, "B": t, "C": t}
    if (elem, name) == ("I", "dst"):
        return "(unsigned*)X0" if t == "float" else "(unsigned short*)X0"
    if elem in ("I", "O", "M"):
        return {"index": "(unsigned*)I0", "offset": "(unsigned*)I0"}.get(name, "(char*)I0")
    if "band" in entry.name or "bor" in entry.name or "bxor" in entry.name or "bnot" in entry.name:
        own |= {"D": "char", "A": "char", "B": "char", "S": "char"}
    base = {"dst": "X0", "old": "X0", "p": "X1", "x": "X1", "src": "X1", "a": "X1", "y": "X2",
            "seg": "X2", "b": "X2", "mask": "X2", "acc": "X2", "bias": "X2", "partial": "X2",
            "table": "X2", "scratch": "X3", "w": "W0", "weight": "W0", "at": "G"}[name]  # fmt: skip
    if entry.name == "__bang_matmul" and name == "b":
        base = "W0"
    if "gdram" in entry.name or (entry.name, name) in (("__gather", "src"), ("__scatter", "dst")):
        base = "G"
    if entry.name == "__bang_lut" and name == "index":
        return "(unsigned*)I0"
    return f"({own.get(elem, elem)}*){base}"


def _call(entry: Entry, t: str) -> str:
    args = []
    sizes = INTS | SPECIAL.get(entry.name, {})
    for name, spelled in entry.params:
        if "*" in spelled:
            args.append(_pointer(entry, name, spelled, t))
        elif spelled == "int" and name != "x":
            args.append(str(sizes[name]))
        elif name == "dir":
            ways = {"__gather": "GDRAM2NRAM", "__scatter": "NRAM2GDRAM"}
            args.append(ways.get(entry.name, "NRAM2NRAM"))
        elif name == "op":
            args.append("FUSION_FMA")
        else:
            assert name in ("value", "cap", "expected", "x", "y", "z"), (entry.name, name)
            args.append({"x": f"({spelled})X1[5]"}.get(name, f"({t})3"))
    return f"{entry.name}({', '.join(args)})"


def text_of(chosen: tuple[Entry, ...], t: str) -> str:
    """A kernel that makes every call on fresh operands and stores the whole destination."""
    lines = [
        "#include <bang.h>",
        f"__nram__ {t} X0[{ROOM}], X1[{ROOM}], X2[{ROOM}], X3[{ROOM}];",
        f"__nram__ unsigned I0[128];\n__wram__ {t} W0[{64 * 32 * 9}];",
        f"__mlu_entry__ void all(const {t}* in, const unsigned* index, {t}* G, {t}* out,",
        "                         float* ret)",
        "{",
    ]
    size = f"{ROOM} * sizeof({t})"
    for k, entry in enumerate(chosen):
        lines += [
            f"__memcpy(X0, in, {size}, GDRAM2NRAM);",
            f"__memcpy(X1, in + {ROOM}, {size}, GDRAM2NRAM);",
            f"__memcpy(X2, in + {2 * ROOM}, {size}, GDRAM2NRAM);",
            "__memcpy(I0, index, 512, GDRAM2NRAM);",
            f"__memcpy(W0, in, 64 * 32 * 9 * sizeof({t}), GDRAM2WRAM);",
        ]
        call = _call(entry, t)
        void = entry.result == "void"
        lines.append(f"{call};" if void else f"ret[{k}] = (float)({call});")
        lines.append("__sync();")
        lines.append(f"__memcpy(out + {k * ROOM}, X0, {size}, NRAM2GDRAM);")
    return "\n".join([*lines, "}", ""])


def to_c(text: str) -> str:
    """The kernel as recovery alone gives it."""
    words = platform("bang").words
    got = read(text, "all.mlu", words)
    assert [d.message for d in got.diagnostics if d.severity == "error"] == []
    raised = recover(got.program, {"all": LaunchShape((1, 1, 1), (1, 1, 1))})
    assert raised.diagnostics == ()
    return write_unit(raised.program, platform("c").spelling, ()).text


def _types(entry: Entry) -> set[str]:
    plain = entry.name.removeprefix("__bang_").removeprefix("atomic_").removeprefix("reduce_")
    if not any(set(spelled.split()) & set("TDSABCV") for _, spelled in entry.params):
        return {"float"}
    if entry.name in ("__bang_srl", "__bang_sll"):
        return {"unsigned"}
    if plain in ONLY_INT and ("atomic" in entry.name or plain in ("rem", "sra", "lut")):
        return {"int"} if plain != "lut" else set()
    if plain in ONLY_FLOAT or entry.name.startswith(("__bang_atomic", "__bang_conv")):
        return {"float"}
    if any(w in entry.name for w in ("matmul", "mlp")):
        return {"float"}
    short_pool = entry.name.endswith("pool") and all(n != "SW" for n, _ in entry.params)
    return {"half"} if short_pool else {"float", "half"}


def _inputs(t: str) -> NDArray[np.generic]:
    rng = np.random.default_rng(7)
    count = max(3 * ROOM, 64 * 32 * 9)
    if t in ("int", "unsigned"):
        return rng.integers(1, 1000, count).astype(np.int32 if t == "int" else np.uint32)
    x = rng.uniform(-4, 4, count)
    edges = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 100.25, -100.25, 1e-3, 3e2, -126.5]
    x[ROOM : ROOM + len(edges)] = edges
    x[2 * ROOM : 2 * ROOM + 4] = [0.0, 0.0, 1.0, 1.0]
    return x.astype(np.float32 if t == "float" else np.float16)


def _batches() -> list[object]:
    """All entries of a type, some at a time; the first batch of each is run every day."""
    out: list[object] = []
    for t in ("float", "half", "int", "unsigned"):
        chosen = tuple(e for e in entries() if t in _types(e))
        for k in range(0, len(chosen), BATCH):
            marks = [pytest.mark.nightly] if k else []
            out.append(pytest.param(t, chosen[k : k + BATCH], id=f"{t}{k}", marks=marks))
    return out


@pytest.mark.parametrize(("t", "chosen"), _batches())
def test_meaning_and_emulator_agree(t: str, chosen: tuple[Entry, ...]) -> None:
    agree(t, chosen, _inputs(t))


def test_no_number_goes_the_same_way() -> None:
    data = _inputs("float")
    data[ROOM + 20] = np.nan
    plain = [e for e in entries() if [n for n, _ in e.params] == ["dst", "src", "n"]]
    agree("float", tuple(e for e in plain if "float" in _types(e)), data)


def agree(t: str, chosen: tuple[Entry, ...], data: NDArray[np.generic]) -> None:
    """Fails where meaning and emulator give something else for these operands."""
    text = text_of(chosen, t)
    dtype = data.dtype.name
    args = (
        BufferArg("in", "", dtype, data.size, data),
        BufferArg("index", "", "uint32", 128, (np.arange(128, dtype=np.uint32) * 32) % 1024),
        BufferArg("G", "", dtype, ROOM, data[:ROOM]),
        BufferArg("out", "", dtype, ROOM * len(chosen), np.zeros(ROOM * len(chosen), dtype)),
        BufferArg("ret", "", "float32", len(chosen), np.zeros(len(chosen), np.float32)),
    )
    results = []
    for unit, name, kind in ((text, "bang", "kernel"), (to_c(text), "c", "function")):
        call = Invocation("all", kind, args, (1, 1, 1), (1, 1, 1), 0)
        program = build(unit, name, call, filename="all")
        done = execute(program, call, seed=1, poison=1, schedule=0)
        assert [str(f) for f in done.errors] == []
        results.append(done.outputs)
    ours, theirs = results[1], results[0]
    wrong = [e.name for k, e in enumerate(chosen) if not _alike(ours, theirs, k, t)]
    assert wrong == []


def _alike(
    a: dict[str, NDArray[np.generic]], b: dict[str, NDArray[np.generic]], k: int, t: str
) -> bool:
    x, y = (r["out"][k * ROOM : (k + 1) * ROOM] for r in (a, b))
    if x.tobytes() != y.tobytes() and not np.allclose(
        x.astype(float),
        y.astype(float),
        rtol=4e-3 if t == "half" else 2e-5,
        atol=2e-2 if t == "half" else 1e-4,
        equal_nan=True,
    ):
        if os.environ.get("XPILER_SHOW"):
            bad = np.flatnonzero(x.view(np.uint8) != y.view(np.uint8)) // x.itemsize
            print(entries()[0].name, k, bad[:5], x[bad[:5]], y[bad[:5]])
        return False
    return bool(np.allclose(a["ret"][k], b["ret"][k], rtol=2e-3, equal_nan=True))


def test_every_entry_is_tried() -> None:
    assert [e.name for e in entries() if not _types(e)] == ["__bang_lut"]
