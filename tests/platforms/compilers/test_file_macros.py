"""Macros that define functions, written out where a file invokes them."""

from __future__ import annotations

import pytest

from xpiler.platforms._simt.device_text import device_text
from xpiler.platforms._simt.file_macros import written_out

PAIR = """#define PAIR(T, n) \\
    __global__ void k_##T(T *x) { x[0] = n; } \\
    void h_##T(T *x) { k_##T<<<1, 1>>>(x); puts(#T); }
"""


def test_parameters_pastes_and_quotes() -> None:
    made = written_out(PAIR + "PAIR(float, f(1, 2))\n").splitlines()[3]
    wanted = """__global__ void k_float(float *x) { x[0] = f(1, 2); }
        void h_float(float *x) { k_float<<<1, 1>>>(x); puts("float"); }"""
    assert made.split() == wanted.split()


def test_lines_keep_their_numbers() -> None:
    assert written_out(PAIR + "PAIR(int,\n  3)\nint last;\n").splitlines()[5] == "int last;"


def test_macros_that_invoke_macros_and_namespaces() -> None:
    text = PAIR + '#define BOTH(n) PAIR(int, n) PAIR(float, n)\nextern "C" {\nBOTH(4)\n}\n'
    assert "k_int(int *x) { x[0] = 4; }" in written_out(text)


def test_one_that_is_defined_anew_after_undef() -> None:
    text = "#define F(a) void a() { }\nF(p)\n#undef F\n#define F(a) int a() { }\nF(q)\n"
    assert [line.strip() for line in written_out(text).splitlines()[1::3]] == [
        "void p() { }",
        "int q() { }",
    ]


@pytest.mark.parametrize(
    "text",
    [
        PAIR + "void f() { PAIR(int, 3) }\n",
        "#define F(a) void a();\n#define F(a) int a();\nF(x)\n",
        "#define N 3\nint x[N];\n",
    ],
)
def test_what_stays(text: str) -> None:
    assert written_out(text) == text


def test_host_functions_of_macros_are_not_for_the_device() -> None:
    left = device_text(PAIR + "PAIR(float, 1)\n")
    assert "__global__ void k_float" in left
    assert "h_float" not in left
