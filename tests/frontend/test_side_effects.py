"""Side effects inside expressions become statements in C's order."""

from __future__ import annotations

import pytest
from front_texts import body, lines, program

from xpiler.ir.text import show_body

CASES = {
    "increment in a subscript of a store": (
        "int i = 0; a[i++] = a[n];",
        """
        i: i32 = 0
        i.1: i32 = i
        i += 1
        a[i.1] = a[n]
        """,
    ),
    "prefix increment as a value": (
        "int i = n; a[++i] = 1.0f;",
        """
        i: i32 = n
        i += 1
        a[i] = 1.0f
        """,
    ),
    "a value read before a later side effect is kept": (
        "int i = n; int j = i + (i = 3);",
        """
        i: i32 = n
        t: i32 = i
        i = 3
        j: i32 = (t + i)
        """,
    ),
    "chained assignment": (
        "a[0] = a[1] = 2.0f;",
        """
        a[1] = 2.0f
        a[0] = a[1]
        """,
    ),
    "the second operand of && runs only if needed": (
        "int i = n; bool b = a[0] > 0.0f && ++i > 3; a[1] = b ? 1.0f : 0.0f;",
        """
        i: i32 = n
        cond: bool = (a[0] > 0.0f)
        if cond
          i += 1
          cond = (i > 3)
        b: bool = cond
        a[1] = (b ? 1.0f : 0.0f)
        """,
    ),
    "only the chosen branch of ?: runs": (
        "int i = n; int k = n > 2 ? i++ : 7;",
        """
        i: i32 = n
        sel: i32
        if (n > 2)
          i.1: i32 = i
          i += 1
          sel = i.1
        else
          sel = 7
        k: i32 = sel
        """,
    ),
    "assignment in a condition": (
        "int k; if ((k = n / 2) > 1) a[k] = 0.0f;",
        """
        k: i32
        k = (n / 2)
        if (k > 1)
          a[k] = 0.0f
        """,
    ),
    "a loop condition with a side effect": (
        "while (n-- > 0) a[n] = 0.0f;",
        """
        while true
          n.1: i32 = n
          n -= 1
          if (n.1 <= 0)
            break
          a[n] = 0.0f
        """,
    ),
    "a do loop's condition with a side effect": (
        "do { a[n] = 1.0f; } while (--n > 0);",
        """
        again: bool
        do while again
          a[n] = 1.0f
        step
          n -= 1
          again = (n > 0)
        """,
    ),
    "comma": (
        "int i, j; for (i = 0, j = n; i < j; ++i, --j) a[i] = a[j];",
        """
        i: i32
        j: i32
        i = 0
        j = n
        while (i < j)
          a[i] = a[j]
        step
          i += 1
          j -= 1
        """,
    ),
    "compound assignment in a wider type": (
        "unsigned char c = n; c += 300; short s = n; s *= 2.5f; a[0] = c + s;",
        """
        c: u8 = u8(n)
        c = u8((i32(c) + 300))
        s: i16 = i16(n)
        s = i16((f32(s) * 2.5f))
        a[0] = f32((i32(c) + i32(s)))
        """,
    ),
    "walking pointers": (
        "float* p = a; *p++ = 1.0f; *++p = 2.0f; p[-1] = *p;",
        """
        p: f32* = a
        p.1: f32* = p
        p += 1
        p.1[0] = 1.0f
        p += 1
        p[0] = 2.0f
        p[-1] = p[0]
        """,
    ),
    "fall-through copies the tail": (
        "switch (n) { case 0: a[0] = 1.0f; case 1: case 2: a[1] = 2.0f; break;"
        " default: a[2] = 3.0f; }",
        """
        switch n
        0
          a[0] = 1.0f
          a[1] = 2.0f
        1, 2
          a[1] = 2.0f
        default
          a[2] = 3.0f
        """,
    ),
    "an atomic's result goes straight to its variable": (
        "int* c = (int*)a; int at = atomicAdd(c, 1); atomicMax(c, at);",
        """
        c: i32* = i32*(a)
        at: i32
        at <- atomic.add(c, 1)
        atomic.max(c, at)
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_order_of_effects(name: str) -> None:
    statements, expected = CASES[name]
    assert body(statements) == lines(expected)


def test_an_array_is_where_it_lies_whatever_is_written_there() -> None:
    text = """__device__ float put(float* p, float x) { p[0] = x; return x; }
    __global__ void k(float* a) {
        float b[2][4]; int i = 0;
        put(b[i], put(b[1], (i++, a[0])));
        a[0] = b[0][0];
    }"""
    shown = show_body(program(text).function("k").body)
    assert "t: f32* = &b[i][0]" in shown
    assert "b[1]," in shown


def test_a_number_is_put_together_from_narrower_ones() -> None:
    text = """__global__ void k(int* a, const short* s) {
        int w; memcpy(&w, s, sizeof w); a[0] = w; }"""
    shown = show_body(program(text).function("k").body)
    assert "u32(u16(s[0])) | (u32(u16(s[1])) << 16)" in shown
