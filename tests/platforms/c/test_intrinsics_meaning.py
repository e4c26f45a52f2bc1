"""Each intrinsic of the semantics does what the machine's own instruction does, lane for lane."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xpiler.platforms.c.instructions import FILES, FOLDER, Instruction, instructions, table

CPU = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
NEEDED = ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16",
          "avx512vbmi", "avx512cd", "avx512_vpopcntdq")  # fmt: skip
MEMORY = 4096
#: Lanes that the manual leaves undefined, and what has no value to compare.
SKIPPED = re.compile(r"_undefined_|_mm_prefetch|_cast\w+(128|256)_\w+(256|512)$")
#: Relative error that the manual allows, or another order of additions.
ROUGH = {"rsqrt14": 2**-13, "rcp14": 2**-13, "_rsqrt_": 2**-11, "_rcp_": 2**-11,
         "reduce_add_p": 1e-4, "reduce_mul_p": 1e-4, "dpbf16": 1e-3}  # fmt: skip
NIGHTLY = pytest.mark.nightly


def immediates(one: Instruction) -> list[tuple[int, ...]]:
    """Values for each constant argument; `()` where there is none."""
    names = [n for n, t in one.params if is_immediate(one, n, t)]
    if not names:
        return [()]
    if "scale" in names:
        return [(4,), (8,)]
    if "part" in names:
        quarters = re.search(r"32x4|64x2", one.name) and one.name.startswith("_mm512")
        return [(k,) for k in range(4 if quarters else 2)]
    if "which" in names:
        return [(0,), (1,)] if "epi64" in one.name else [(0,), (3,)]
    if "interval" in names:
        return [(k, s) for k in range(4) for s in range(3)]
    if "cmp_ep" in one.name:
        return [(k,) for k in range(8)]
    if "cmp_p" in one.name:
        return [(k,) for k in range(32)]
    if "round" in one.name or "_ph" in one.name:
        return (
            [(8,), (9,), (10,), (11,)]
            if re.search("scale_|_cvt_roundps_epi32|_mm256_round_|_mm_round_", one.name)
            else [(8,)]
        )
    if re.search(r"_s[lr][la]i_epi", one.name):
        return [(0,), (1,), (15,), (31,), (40,)]
    if "ternary" in one.name:
        return [(0xCA,), (0x96,), (0x1B,)]
    return [(0x1B,), (0x4E,), (0,)] if "permute2" not in one.name else [(0x20,), (0x31,), (0x08,)]


def is_immediate(one: Instruction, name: str, t: str) -> bool:
    return t in ("const int", "unsigned int", "unsigned") and not re.search(
        r"_set|_cvt\w*_mask|_cvtu|_bzhi|mask2int|int2mask|_setr", one.name
    )


def wrapper(prefix: str, one: Instruction, k: int, fixed: tuple[int, ...], real: bool) -> str:
    """`void P_k(const char *in, char *out, char *memory)`: arguments from `in`, result to `out`."""
    lines, names, at = [], [], 0
    constants = iter(fixed)
    for name, t in one.params:
        if is_immediate(one, name, t):
            names.append(str(next(constants)))
        elif "*" in t:
            names.append(f"({t})(m + 256)")
        else:
            own = registers(t) if real else t
            lines.append(f"{own} v{at}; __builtin_memcpy(&v{at}, in + {64 * at}, sizeof v{at});")
            names.append(f"v{at}")
            at += 1
    call = f"{one.name}({', '.join(names)})"
    keep = (
        f"{call};"
        if one.result == "void"
        else (f"__auto_type r = {call}; __builtin_memcpy(out, &r, sizeof r);")
    )
    body = f"(void)in; (void)out; (void)m; {' '.join(lines)} {keep}"
    return f"void {prefix}_{k}(const char *in, char *out, char *m) {{ {body} }}\n"


def registers(t: str) -> str:
    """The real header's type of a view of a register."""
    match = re.match(r"xp_([a-z]+)(\d+)x(\d+)$", t)
    if not match:
        return t
    bits = int(match[2]) * int(match[3])
    kind = {"f32": "", "f64": "d", "bf16": "bh"}.get(match[1] + match[2], "i")
    return f"__m{bits}{kind}"


def compiled(folder: Path, cases: list[tuple[Instruction, tuple[int, ...]]]) -> ctypes.CDLL:
    stubs = FOLDER / "semantics"
    own = "".join(f'#include "{stubs / f}.cpp"\n' for f in FILES)
    for prefix, head, real in (("real", "#include <immintrin.h>\n", True),
                               ("ours", f"#include <math.h>\n{own}", False)):  # fmt: skip
        text = head + "".join(
            wrapper(prefix, one, k, fixed, real) for k, (one, fixed) in enumerate(cases)
        )
        (folder / f"{prefix}.c").write_text(text)
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-w",
               "-march=native", "-flax-vector-conversions=all", "-ffp-contract=off", "-fwrapv",
               "-fno-sanitize=all", "-Wno-error", "-Wno-implicit-function-declaration",
               "-o", "both.so", "real.c", "ours.c", "-lm"]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return ctypes.CDLL(str(folder / "both.so"))


SPECIAL = {
    4: np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 1, 0x3F800000, 0xBF000000,
                 0x4F000000, 0xCF000000, 0x7F7FFFFF, 0x00800000], np.uint32),
    8: np.array([0, 1 << 63, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 1,
                 0x3FF0000000000000, 0x41E0000000000000], np.uint64),
}  # fmt: skip


def drawn(t: str, name: str, one: Instruction, rng: np.random.Generator, turn: int) -> bytes:
    """Sixty-four bytes for an argument: numbers of its kind, edge values now and then."""
    reach = re.search(r"gather|scatter", one.name)
    if reach and name == "x":
        return rng.integers(0, 60, 16, np.int32).tobytes() if "x32" not in t and "i32x" in t else (
            rng.integers(0, 60, 8, np.int64).tobytes())  # fmt: skip
    if (re.search(r"f32|__m\d+$|^float$", t) and "i32" not in t) or re.match(
        r"__m(128|256|512)$", t
    ):
        bits = rng.normal(0, 100, 16).astype(np.float32).view(np.uint32)
        edges = rng.choice(SPECIAL[4], 16)
        return np.where(rng.random(16) < 0.3 * turn, edges, bits).tobytes()
    if re.search(r"f64|d$|^double$", t):
        bits8 = rng.normal(0, 100, 8).view(np.uint64)
        edges8 = rng.choice(SPECIAL[8], 8)
        return np.where(rng.random(8) < 0.3 * turn, edges8, bits8).tobytes()
    if re.search(r"bf16|bh$", t):
        return (
            (rng.normal(0, 8, 32).astype(np.float32).view(np.uint32) >> 16)
            .astype(np.uint16)
            .tobytes()
        )
    if "f16" in t:
        return rng.normal(0, 8, 32).astype(np.float16).tobytes()
    if "sllv" in one.name or "srlv" in one.name or "srav" in one.name:
        return rng.integers(-2, 40, 16, np.int32).tobytes()
    return rng.integers(0, 256, 64, np.uint8).tobytes()


def result_type(one: Instruction) -> str:
    text = one.result
    if re.match(r"__m\d+$", text) or text == "float":
        return "f4"
    if re.match(r"__m\d+d$", text) or text == "double":
        return "f8"
    return "u1"


def differs(a: bytes, b: bytes, one: Instruction) -> bool:
    if a == b:
        return False
    kind = result_type(one)
    if kind == "u1":
        return True
    x, y = np.frombuffer(a, kind), np.frombuffer(b, kind)
    rough = next((v for k, v in ROUGH.items() if k in one.name), 0.0)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(x), 1e-30)
        if "reduce" in one.name or "dpbf16" in one.name:
            size = np.maximum(size, 100.0)
        near = np.abs(x - y) <= rough * size if rough else np.zeros_like(x, bool)
        small = np.abs(x) < 2e-38 if rough else np.zeros_like(x, bool)
    same = x.view(f"u{x.itemsize}") == y.view(f"u{x.itemsize}")
    return not bool(np.all(same | (np.isnan(x) & np.isnan(y)) | near | small))


def check(one: Instruction, fixed: tuple[int, ...], k: int, lib: ctypes.CDLL) -> str:
    rng = np.random.default_rng(k)
    for turn in range(4):
        given = b"".join(
            drawn(t, n, one, rng, 0 if "reduce_m" in one.name else turn % 2).ljust(64, b"\0")
            for n, t in one.params if "*" not in t and not is_immediate(one, n, t)
        )  # fmt: skip
        stored = rng.normal(0, 10, MEMORY // 4).astype(np.float32).tobytes()
        results = []
        for prefix in ("real", "ours"):
            place = ctypes.create_string_buffer(MEMORY + 64)
            base = (ctypes.addressof(place) + 63) // 64 * 64
            ctypes.memmove(base, stored, MEMORY)
            out = ctypes.create_string_buffer(64)
            getattr(lib, f"{prefix}_{k}")(given, out, ctypes.c_void_p(base))
            results.append((out.raw, ctypes.string_at(base, MEMORY)))
        (real, memory), (ours, own) = results
        if differs(real, ours, one) or memory != own:
            return f"{one.name}{fixed}: {real.hex()} is not {ours.hex()} (memory {memory == own})"
    return ""


def cases(every: int) -> list[tuple[Instruction, tuple[int, ...]]]:
    known = [i for i in instructions() if not SKIPPED.search(i.name)]
    return [(one, fixed) for one in known[::every] for fixed in immediates(one)]


@pytest.mark.skipif(any(f not in CPU for f in NEEDED), reason="this CPU lacks the instructions")
@pytest.mark.parametrize("every", [pytest.param(1, marks=NIGHTLY), 11])
def test_semantics_agree_with_the_instructions(every: int, tmp_path: Path) -> None:
    chosen = cases(every)
    lib = compiled(tmp_path, chosen)
    wrong = [check(one, fixed, k, lib) for k, (one, fixed) in enumerate(chosen)]
    assert [w for w in wrong if w] == []


def test_the_documented_table_is_the_generated_one() -> None:
    docs = Path(__file__).parents[3] / "docs" / "intrinsics.md"
    assert docs.read_text(encoding="utf-8") == table()
