"""Which texts of a model's reach a compiler."""

from __future__ import annotations

import pytest

from xpiler.neural.screen import program_of, screen

HEADERS = ("math.h", "bang.h")


@pytest.mark.parametrize(
    ("answer", "program"),
    [
        ("int x;\n", "int x;\n"),
        ("Sure:\n```c\nint x;\n```\nDone.", "int x;\n"),
        ("```\nint x;\n```\n```cpp\nint x;\nint y;\n```", "int x;\nint y;\n"),
        ("```c\nint x;\n", "int x;\n"),
        ("~~~\nint x;\n~~~", "int x;\n"),
        ("```c\r\nint x;\r\n```", "int x;\n"),
    ],
)
def test_program_of_an_answer(answer: str, program: str) -> None:
    assert program_of(answer) == program


@pytest.mark.parametrize(
    "text",
    [
        "#include <math.h>\nint x;",
        '#  include "bang.h"  // ours\nint x;',
        "#define N 4\n#pragma omp simd\n#if N > 3\nint x;\n#endif",
        "int a[4]; // # is no directive here",
    ],
)
def test_ordinary_programs_pass(text: str) -> None:
    assert screen(text, HEADERS).why == ""


@pytest.mark.parametrize(
    "text",
    [
        '#include "/etc/passwd"\nint x;',
        "#include </proc/self/environ>\nint x;",
        '#include "../../secret.h"\nint x;',
        "#inc\\\nlude </etc/passwd>\nint x;",
        "# /* c */ include </etc/passwd>\nint x;",
        "/* a\n*/ #include </etc/passwd>\nint x;",
        'const char *s = "/*";\n#include "/etc/passwd"\n// */',
        "%:include </etc/passwd>\nint x;",
        '#define F "/etc/passwd"\n#include F\nint x;',
        "#include_next <math.h>\nint x;",
        '#import "/etc/passwd"\nint x;',
        'char a[] = {\n#embed "/etc/passwd"\n};',
        '#if __has_include("/etc/shadow")\n#endif\nint x;',
        'asm(".incbin \\"/etc/passwd\\"");',
        '#pragma GCC dependency "/etc/passwd"\nint x;',
        '#line 1 "/etc/passwd"\nint x;',
        "int x;\0",
        "",
        "```\n```",
    ],
)
def test_texts_that_read_files_are_stopped(text: str) -> None:
    found = screen(text, HEADERS)
    assert found.why
    assert found.text == ""


def test_huge_programs_are_stopped() -> None:
    assert "characters" in screen("int x;\n" * 400_000, HEADERS).why


def test_includes_of_the_users_own_may_be_repeated() -> None:
    text = '#include "mine.h"\nint x;'
    assert screen(text, HEADERS).why
    assert screen(text, HEADERS, ['#include "mine.h"\n']).why == ""
