"""Writes `docs/passes.md`, every pass with text before and after: `python -m xpiler.report.passes`.

The texts are made when the page is: a pass is applied to a small C function (or a kernel), and the
back end writes what came of it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.ir.program import Program
from xpiler.passes.cleanup import clean_up
from xpiler.passes.lowering.base import unmarked
from xpiler.passes.recovery import recover
from xpiler.passes.steps import REGISTRY, Around, Done, Refusal, Step, parse, take
from xpiler.platforms.registry import platform

_HEAD = """\
# The passes

A schedule is a list of passes with their parameters. Each pass is applied to the program as it
stands, says what it needs, and leaves the program alone where that is not so. `xpiler passes list`
names them, `xpiler passes knobs FILE` lists every legal instance on a program, and

    xpiler passes apply FILE --to c --pass 'loop_split(loop="i", factor=16)' --pass ...

shows the text after each step and verifies the last one. `--schedule FILE.toml` reads the steps
from a file:

```toml
[[step]]
pass = "loop_split"
loop = "i"
factor = 16
```

Loops are called by their variables (`i`, or `function/i` where two functions have an `i`); a new
loop gets the next free name: `i.1`, `i.2`. In text the dots are underscores or gone.

After each step a check says how it is known that the meaning stayed: `solver` (the indices that the
body sees are the same, by a query to z3), `same form` (undoing the step gives the program back, or
the step is the rewrite that the dependence analysis has proved), or `test`: nothing of that, so
that the verifier's run of both texts is what there is. What a step takes for granted (two buffers
do not overlap, an index does not overflow) is recorded and printed with the verdict.

This page is made by `python -m xpiler.report.passes`: change that, not the page.
"""


@dataclass(frozen=True)
class Example:
    """A text, steps that prepare it, the step that is shown, and one that is refused."""

    source: str
    step: str
    before: tuple[str, ...] = ()
    refused: tuple[str, str] = ("", "")
    on: str = "c"


_ROWS = """
void rows(float *restrict a, const float *restrict b, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 16; j++)
            a[i * 16 + j] = b[i * 16 + j] * 2.0f;
}
"""
_SCAN = """
void scan(float *restrict a, const float *restrict b, int n)
{
    for (int i = 1; i < n; i++)
        a[i] = a[i - 1] + b[i];
}
"""
_WAVE = """
void wave(float *restrict a, const float *restrict b)
{
    for (int i = 1; i < 9; i++)
        for (int j = 0; j < 9; j++)
            a[i * 10 + j] = a[(i - 1) * 10 + j + 1] + b[i];
}
"""
_PRODUCT = """
void product(float *restrict a, const float *restrict b, const float *restrict c, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 8; k++)
            for (int j = 0; j < 16; j++)
                a[i * 16 + j] += b[i * 8 + k] * c[k * 16 + j];
}
"""
_TWO = """
void two(float *restrict a, const float *restrict b, float *restrict c)
{
    for (int i = 0; i < 64; i++) {
        float t = b[i] * 2.0f;
        a[i] = t;
        c[i] = t + 1.0f;
    }
}
"""
_CHAIN = """
void chain(float *restrict a, const float *restrict b, float *restrict c)
{
    for (int i = 1; i < 64; i++) {
        a[i] = c[i - 1];
        c[i] = b[i];
    }
}
"""
_SUMS = """
void sums(float *restrict a, const float *restrict b, const float *restrict c, int n)
{
    for (int i = 0; i < n; i++) {
        float s = 0.0f;
        for (int t = 0; t < 4; t++)
            for (int k = 0; k < 16; k++)
                s += b[i * 64 + t * 16 + k] * c[k];
        a[i] = s;
    }
}
"""
_KERNEL = """
__global__ void twice(float *a, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) a[i] = a[i] * 2.0f;
}

void run(float *a, int n)
{
    twice<<<(n + 127) / 128, 128>>>(a, n);
}
"""
_STAGED = 'cache(buffer="b", loop="t")'
_AHEAD = 'pipeline(loop="t", stages=2)'
_FORM = 'tensorize(loop="j", form="scale_16")'
_OUT = 'loop_expansion(loop="i", at=2)'

EXAMPLES = {
    "loop_recovery": Example(_KERNEL, "loop_recovery()", (), (_SCAN, "loop_recovery()"), "cuda"),
    "loop_bind": Example(
        _ROWS, 'loop_bind(loop="j", axis="parallel")', (),
        (_SCAN, 'loop_bind(loop="i", axis="parallel")'),
    ),
    "loop_split": Example(
        _SCAN, 'loop_split(loop="i", factor=32)', (), (_ROWS, 'loop_split(loop="j", factor=64)')
    ),
    "loop_fuse": Example(_ROWS, 'loop_fuse(loop="i")', (), (_ROWS, 'loop_fuse(loop="j")')),
    "loop_reorder": Example(
        _PRODUCT, 'loop_reorder(order=("k", "i", "j"))', (),
        (_WAVE, 'loop_reorder(order=("j", "i"))'),
    ),
    "loop_expansion": Example(_TWO, _OUT, (), (_CHAIN, 'loop_expansion(loop="i", at=1)')),
    "loop_contraction": Example(
        _TWO, 'loop_contraction(first="i", second="i.1")', (_OUT,),
        (_ROWS, 'loop_contraction(first="i", second="j")'),
    ),
    "cache": Example(_SUMS, _STAGED, (), (_SCAN, 'cache(buffer="a", loop="i")')),
    "uncache": Example(
        _SUMS, 'uncache(buffer="b_near")', (_STAGED,), (_SUMS, 'uncache(buffer="s")')
    ),
    "pipeline": Example(_SUMS, _AHEAD, (_STAGED,), (_SUMS, _AHEAD)),
    "unpipeline": Example(
        _SUMS, 'unpipeline(loop="t")', (_STAGED, _AHEAD), (_SUMS, 'unpipeline(loop="t")')
    ),
    "tensorize": Example(_ROWS, _FORM, (), (_PRODUCT, 'tensorize(loop="j", form="add_16")')),
    "detensorize": Example(
        _ROWS, 'detensorize(form="scale_16")', (_FORM,), (_ROWS, 'detensorize(form="scale_16")')
    ),
    "clean_up": Example(
        _ROWS, "clean_up()", ('loop_split(loop="i", factor=4)',), (_ROWS, "clean_up()")
    ),
}  # fmt: skip


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(section(step) for step in REGISTRY.values())])


def section(step: Step) -> str:
    """One pass: what it does and needs, an example, a refusal."""
    example = EXAMPLES[step.name]
    lines = [f"## {step.name}", "", f"{_sentence(step.summary)}", ""]
    lines += [f"Legal where: {step.legality}.", ""]
    lines += [f"- `{p.name}`{' (optional)' if p.optional else ''}: {p.text}" for p in step.params]
    lines += [""] if step.params else []
    lines += [f"Inverse: `{step.inverse}`.", ""] if step.inverse else []
    return "\n".join(lines) + "\n" + _example(example) + "\n" + _refusal(example)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _example(one: Example) -> str:
    """The text before and after a step, and the check's word for it."""
    around = Around(platform("c"))
    program = _raised(one.source, one.on)
    text = dedent(one.source).strip()
    for earlier in one.before:
        program = take(program, parse(earlier), REGISTRY, around).program
        text = _text(program)
    taken = take(program, parse(one.step), REGISTRY, around)
    assert isinstance(taken.outcome, Done), taken.outcome
    assert taken.check is not None
    known = f"Check: {taken.check.method} ({taken.check.detail})."
    taken_for = "".join(f" Assumed: {x}." for x in taken.outcome.assumptions)
    marks = "cuda" if one.on == "cuda" else "c"
    return (
        f"```{marks}\n{text}\n```\n\n`{one.step}` gives\n\n```c\n{_text(taken.program)}\n```\n\n"
        f"{known}{taken_for}\n"
    )


def _refusal(one: Example) -> str:
    source, step = one.refused
    around = Around(platform("c"))
    taken = take(_raised(source, "c"), parse(step), REGISTRY, around)
    assert isinstance(taken.outcome, Refusal), step
    name = source.split("(")[0].split()[-1]
    return f"`{step}` on `{name}` is refused: {taken.outcome.reason}.\n"


def _raised(source: str, on: str) -> Program:
    """The program of a text; what is sequential is in its canonical form."""
    program = read(dedent(source), f"example{platform(on).suffixes[0]}", platform(on).words).program
    return program if program.kernels() else clean_up(recover(program).program).program


def _text(program: Program) -> str:
    """The program as C, without the lines that only speak to the compiler."""
    text = write_unit(unmarked(program), platform("c").spelling, ()).text
    about = ("#include", "#ifndef", "#pragma GCC", "#endif")
    lines = [line for line in text.splitlines() if not line.startswith(about)]
    return "\n".join(lines).strip()


def main(arguments: list[str]) -> int:
    """Write the page to the file named, else to `docs/passes.md` below the current folder."""
    Path(arguments[0] if arguments else "docs/passes.md").write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
