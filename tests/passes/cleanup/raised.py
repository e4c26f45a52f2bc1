"""What clean-up makes of the first function of a text in CUDA C, as it runs in order."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform


def cleaned_kernel(text: str) -> str:
    """The body; no pass may have given up."""
    program = recover(read(text, "k.cu", platform("cuda").words).program).program
    found = clean_up(program, in_order=True)
    assert found.failures == ()
    return show_body(found.program.functions[0].body)
