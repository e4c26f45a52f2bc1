"""What the tests of the front end share: texts to programs."""

from __future__ import annotations

import textwrap

from xpiler.frontend import ReadResult, read
from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.ir.text import show_body, show_function, show_program
from xpiler.platforms.registry import platform


def result(text: str, on: str = "cuda", **options: object) -> ReadResult:
    return read(textwrap.dedent(text), f"input.{on}", platform(on).words, **options)  # type: ignore[arg-type]


def program(text: str, on: str = "cuda", **options: object) -> Program:
    """The program of a text that is understood whole and well formed."""
    found = result(text, on, **options)
    problems = [d.render() for d in found.diagnostics if d.severity == "error"]
    assert not problems, "\n".join(problems)
    assert check(found.program) == []
    return found.program


def body(statements: str, params: str = "float* a, int n", on: str = "cuda") -> str:
    """The body of a kernel with these statements, as IR text."""
    found = program(f"__global__ void kern({params}) {{\n{statements}\n}}\n", on)
    return show_body(found.function("kern").body)


def function(text: str, name: str, on: str = "cuda") -> str:
    return show_function(program(text, on).function(name))


def whole(text: str, on: str = "cuda") -> str:
    return show_program(program(text, on))


def lines(text: str) -> str:
    """Golden text as written in a test: dedented, one newline at the end."""
    return textwrap.dedent(text).strip("\n") + "\n"
