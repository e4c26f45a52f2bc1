"""Which variables a statement reads and writes."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir import stmt as s
from xpiler.passes.recovery.flow import effects
from xpiler.platforms.registry import platform


@pytest.mark.parametrize(
    ("place", "weak", "uses"),
    [
        ("a[i]", {"a"}, {"i"}),
        ("((int *)a)[i]", {"a"}, {"i"}),
        ("*(int *)((char *)a + 4 * i)", {"a"}, {"i"}),
        ("*(int *)(i + (char *)a)", {"a"}, {"i"}),
        ("*(int *)((char *)p + i)", set(), {"p", "i"}),
        ("*(int *)(where + i)", set(), {"where", "i"}),
    ],
)
def test_a_store_through_a_computed_pointer_writes_the_array(
    place: str, weak: set[str], uses: set[str]
) -> None:
    text = f"void k(int *p, unsigned long where, int i) {{ float a[8]; {place} = 1; p[0] = a[1]; }}"
    program = read(text, "f.c", platform("c").words).program
    store = next(st for st in program.function("k").body if isinstance(st, s.Assign))
    assert effects(store) == (uses, set(), weak)
