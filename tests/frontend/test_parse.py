"""Broken, hostile and foreign input gives diagnostics, never a traceback."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from front_texts import result

from xpiler.diagnostics import XpilerError, lookup
from xpiler.frontend import parse, read
from xpiler.ir.check import check
from xpiler.platforms.registry import platform, platform_of

KERNELS = sorted(
    p for p in (Path(__file__).parents[1] / "kernels").rglob("*") if p.suffix in (".cu", ".hip")
)


@pytest.mark.parametrize("path", KERNELS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_our_own_kernels_are_understood(path: Path) -> None:
    text = path.read_text()
    found = read(text, str(path), platform_of(str(path)).words)
    assert [d.render() for d in found.diagnostics if d.severity == "error"] == []
    assert check(found.program) == []


def test_syntax_errors_cost_only_their_statement() -> None:
    found = result("""
        __global__ void k(float* a, int n) {
          float y = a[n] + ;
          if (n > 0) { a[n] = undeclared(n); }
          a[0] = 1.0f;
        }
        __global__ void fine(float* a) { a[0] = 2.0f; }
    """)
    assert {d.code for d in found.diagnostics} == {"XP0110", "XP0207"}
    first = found.diagnostics[0]
    assert first.loc is not None
    assert (first.loc.line, first.source_line.strip()) == (3, "float y = a[n] + ;")
    assert [f.name for f in found.program.functions] == ["k", "fine"]
    assert check(found.program) == []


def test_unknown_headers_are_noted_and_empty() -> None:
    found = result('#include "mine/own.h"\n__global__ void k(int* a) { a[0] = 1; }')
    assert [(d.code, d.severity) for d in found.diagnostics] == [("XP0111", "note")]


def test_headers_beside_the_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text(
        "#include <other.h>\ninline __device__ float two() { return 2.0f; }"
    )
    text = '#include "own.h"\n__global__ void k(float* a) { a[0] = two(); }'
    found = read(text, "k.cu", platform("cuda").words, include_dirs=[str(tmp_path)])
    assert {f.name for f in found.program.functions} == {"k", "two"}


@pytest.mark.parametrize(
    ("text", "code"), [("a\0b", "XP0103"), ("x" * (parse.MAX_BYTES + 1), "XP0104")]
)
def test_what_is_no_source_text(text: str, code: str) -> None:
    with pytest.raises(XpilerError, match=code):
        read(text, "x.cu", platform("cuda").words)


def test_a_crash_of_the_parser_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "parse_here", lambda request: os.kill(os.getpid(), 9))
    with pytest.raises(XpilerError, match="XP0101"):
        read("", "x.cu", platform("cuda").words)


def test_a_hang_of_the_parser_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "parse_here", lambda request: __import__("time").sleep(60))
    with pytest.raises(XpilerError, match="XP0102"):
        read("", "x.cu", platform("cuda").words, time_limit_s=0.3)


@pytest.mark.parametrize(
    "text",
    [
        "", "}}}}", "#include", "#define", "__global__", "__global__ void k(", "k<<<1>>>();",
        "template <", "struct S { struct S s; };", "void f() { asm(\"\"); }", "\xff\xfe", "'", '"',
        "__global__ void k() { k<<<1,1>>>(); }", "int x = x;", "#if 1", "void f(int a[][]) {}",
        "class A { virtual void f(); }; void g(A& a) { a.f(); }",
        "int f() { try { throw 1; } catch (...) {} }",
        "void f() { goto a; a: ; switch (1) { int x; } for (;;); }", "((((((((((" * 200,
        "__global__ void k(float* a) { auto f = [](auto x) { return x; }; a[0] = f(a)[0]; }",
        "struct N { N* next; int v; }; __global__ void k(N* n) { while (n) n = n->next; }",
    ],
)  # fmt: skip
def test_odd_texts_never_raise_anything_else(text: str) -> None:
    found = result(text)
    assert check(found.program) == []
    assert all(lookup(d.code) for d in found.diagnostics)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("volatile float* v = a; v[0] = 1.0f;", True),
        ("*(volatile float*)&a[1] = 1.0f;", True),
        ("/* not volatile */ float* v = a; v[0] = 1.0f;", False),
        ('int t; asm volatile ("mov.u32 %0, 3;" : "=r"(t)); a[t] = 1.0f;', False),
    ],
)
def test_volatile_is_dropped_with_a_note(line: str, said: bool) -> None:
    found = result("__global__ void k(float* a) {\n  " + line + "\n}")
    assert [d.code for d in found.diagnostics] == ["XP0214"] * said
    assert all(d.severity == "note" and d.loc and d.loc.line == 2 for d in found.diagnostics)


def test_beside_other_threads_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork has the locks that other threads hold, and nobody to release them."""
    alone = read("void f(int *y) { y[0] = 1; }", "f.c", platform("c").words)

    def fork() -> int:
        raise AssertionError("forked")

    monkeypatch.setattr("os.fork", fork)
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        found = read("void f(int *y) { y[0] = 1; }", "f.c", platform("c").words)
        request = parse.Request("", "f.c", platform("c").words)
        with pytest.raises(XpilerError, match="XP0102"):
            parse.in_child(request, 0.01, parse.parse_here)
    finally:
        done.set()
        other.join()
    assert found == alone
