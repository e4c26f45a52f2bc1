"""C text through the front end, recovery and clean-up into the recipe."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.check import check
from xpiler.ir.program import Function
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.lowering import Lowered, Origin
from xpiler.passes.lowering.simt import lower
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform


def lowered(
    text: str, target: str = "cuda", origin: Origin | None = None, **assume: bool
) -> Lowered:
    """`text` (C) as a program for `target`; it is well formed."""
    source = platform("c")
    found = read(text, "test.c", source.words)
    assert not found.diagnostics, [d.message for d in found.diagnostics]
    allowed = Assumptions(**assume)  # type: ignore[arg-type]
    program = clean_up(recover(found.program, {}).program, assume=allowed).program
    out = lower(program, platform(target), origin or Origin("c"), allowed)
    assert check(out.program) == []
    return out


def kernels(found: Lowered) -> list[Function]:
    return list(found.program.kernels())


def codes(found: Lowered) -> list[str]:
    return [d.code for d in found.diagnostics]
