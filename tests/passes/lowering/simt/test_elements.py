"""How many elements a wrapper copies, where accesses are rounded up to whole blocks."""

from __future__ import annotations

from tests.passes.lowering.simt.build import lowered

from xpiler.ir import expr as e
from xpiler.ir.text import show_body
from xpiler.ir.types import I32, I64
from xpiler.passes.lowering import Origin
from xpiler.passes.lowering.base import Example

BLOCKS = """void twice(const float *x, float *y, int n) {
    for (int i = 0; i < n; i += 8)
        for (int k = 0; k < 8; k++) y[i + k] = 2.0f * x[i + k]; }"""


def host(*seen: tuple[int, int]) -> str:
    """The host function for `n` with the elements that are touched, as measured for some."""
    examples = tuple(Example({"n": n}, {"x": count, "y": count}) for n, count in seen)
    more = tuple(Example({"n": n}, {"x": n, "y": n}) for n in (8, 24, 32))
    origin = Origin("c", examples={"twice": examples[:1]}, sampled=lambda _: examples + more)
    return show_body(lowered(BLOCKS, origin=origin).program.function("twice").body)


def test_whole_blocks_are_copied_where_they_are_touched() -> None:
    assert "/ 8" in host((16, 16)).partition("if (")[0]


def test_less_is_copied_where_less_is_touched() -> None:
    assert "/ 8" not in host((13, 13)).partition("if (")[0]


def test_what_was_measured_at_small_sizes_alone_is_not_taken() -> None:
    """One block holds all of up to 8 elements."""
    examples = (Example({"n": 13}, {"x": 16, "y": 16}), Example({"n": 347}, {"x": 352, "y": 352}))
    origin = Origin(
        "c",
        examples={"twice": examples},
        sampled=lambda _: examples,
        measured=lambda *_: e.Const(8, I64),
    )
    text = show_body(lowered(BLOCKS, origin=origin).program.function("twice").body)
    assert "/ 8" in text.partition("if (")[0]


def test_what_was_measured_at_whole_blocks_alone_is_not_below_zero_without_one() -> None:
    examples = (Example({"n": 5}, {"x": 5, "y": 5}), Example({"n": 32}, {"x": 80, "y": 80}))
    four = e.Binary("*", e.Cast(e.Var("n", I32), I64), e.Const(4, I64), I64)
    origin = Origin(
        "c",
        examples={"twice": examples},
        sampled=lambda _: examples,
        measured=lambda *_: e.Binary("-", four, e.Const(48, I64), I64),
    )
    assert "48" not in show_body(lowered(BLOCKS, origin=origin).program.function("twice").body)
