"""The platforms' tables speak the neutral vocabulary, and the registry finds platforms."""

from __future__ import annotations

import pytest
from front_texts import function

from xpiler.diagnostics import XpilerError
from xpiler.frontend.words import instr_word, ir_type
from xpiler.ir.intrinsics import instruction_doc, math_functions
from xpiler.ir.types import F16, Vector
from xpiler.platforms.registry import platform, platform_of, platforms


@pytest.mark.parametrize("name", ["cuda", "hip"])
def test_tables_use_known_neutral_words(name: str) -> None:
    words = platform(name).words
    assert {w.func for w in words.math.values()} <= set(math_functions())
    barriers = {"barrier.block", "barrier.warp", "barrier.grid"}
    used = {w.name.replace("*", "x") for w in (*words.instr.values(), *words.instr_prefix.values())}
    assert [n for n in used - barriers if instruction_doc(n) is None] == []


def test_instruction_notation() -> None:
    word = instr_word("@, *2 <- warp.match_all(0, 1+) kind=$3")
    assert (word.name, word.outs, word.ins) == ("warp.match_all", ("@", "*2"), ("0", "1+"))
    assert word.attrs == (("kind", "$3"),)
    with pytest.raises(ValueError, match="notation"):
        instr_word("warp.shfl 0, 1")


def test_types_in_tables() -> None:
    assert ir_type("f16x2") == Vector(F16, 2)
    with pytest.raises(ValueError, match="float4"):
        ir_type("float4")


def test_waves_follow_the_architecture() -> None:
    assert platform("hip").wave() == 64
    assert platform("hip").wave("gfx1100") == 32
    assert platform("cuda").wave("sm_90") == 32


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("a.cu", "", "cuda"),
        ("a.hip", "", "hip"),
        ("a.hip.cpp", "", "hip"),
        ("-", "cudaMalloc(&p, n);", "cuda"),
        ("-", "#include <hip/hip_runtime.h>", "hip"),
        ("a.cpp", "hipMalloc(&p, n);", "hip"),
        ("a.cpp", "int f();", "c"),
    ],
)
def test_platform_of_a_file(path: str, text: str, name: str) -> None:
    assert platform_of(path, text).name == name


def test_unknown_platforms_are_diagnosed() -> None:
    with pytest.raises(XpilerError, match="XP0106"):
        platform("metal")
    with pytest.raises(XpilerError, match="XP0107"):
        platform_of("x.txt", "hello")
    assert platform("vnni") is platform("c")
    assert {"cuda", "hip", "c"} <= set(platforms())


@pytest.mark.parametrize("name", ["rintf", "fmaxf", "tanhf", "roundf"])
def test_built_in_functions_are_those_of_the_library(name: str) -> None:
    more = ", a[1]" if name == "fmaxf" else ""
    texts = (
        f"#include <math.h>\nvoid f(float *a) {{ a[0] = {spelled}(a[0]{more}); }}"
        for spelled in (f"__builtin_{name}", name)
    )
    own, library = (function(text, "f", on="c") for text in texts)
    assert own == library
