"""Kernel launches by a macro or call become `kernel<<<...>>>(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.port.port import Job

_NOTHING = {"0", "NULL", "nullptr"}


def rewrite(job: Job) -> None:
    """Launch macros of the source, and declarations of dynamic shared memory by macro."""
    made = job.editor
    macros = job.tables.words.get("launch_macros", ())
    shared = job.tables.words.get("shared_macro")
    for i, token in enumerate(made.tokens):
        if token.kind != "name" or made.touched(i):
            continue
        if token.text in macros:
            _launch(job, i)
        elif token.text == shared:
            _shared(job, i)


def _launch(job: Job, index: int) -> None:
    made = job.editor
    brackets = made.call(index)
    if brackets is None:
        return
    opened, closed = brackets
    args = made.arguments(opened, closed)
    if len(args) < 5:
        made.say("XP1002", index, f"this use of {made.word(index)} is not understood", "error")
        return
    kernel, grid, block, shared, stream = args[:5]
    kernel = _bare(job, kernel)
    made.log(index, made.word(index), f"{made.source(kernel)}<<<...>>>", "kernel")
    made.drop(index, kernel[0])
    _join(job, kernel[1], grid[0], "<<<")
    _join(job, grid[1], block[0], ", ")
    last = block
    if made.source(stream) not in _NOTHING or made.source(shared) not in _NOTHING:
        _join(job, block[1], shared[0], ", ")
        last = shared
        if made.source(stream) not in _NOTHING:
            _join(job, shared[1], stream[0], ", ")
            last = stream
    if len(args) == 5:
        made.drop(last[1], closed)
        made.insert(closed, ">>>(")
        return
    made.drop(last[1], args[5][0])
    made.insert(args[5][0], ">>>(" + _line_break(job, stream[1], args[5][0]))


def _join(job: Job, start: int, end: int, text: str) -> None:
    """Put `text` where the tokens [start, end) stood; a line break among them stays."""
    made = job.editor
    made.drop(start, end)
    made.insert(end, text.rstrip() + (_line_break(job, start, end) or text[len(text.rstrip()) :]))


def _line_break(job: Job, start: int, end: int) -> str:
    text = "".join(t.text for t in job.editor.tokens[start:end] if t.kind != "comment")
    return text[text.index("\n") :] if "\n" in text else ""


def _bare(job: Job, kernel: tuple[int, int]) -> tuple[int, int]:
    """The kernel's name without brackets around it and without its macro."""
    made = job.editor
    start, end = kernel
    while True:
        at = made.next(start) if made.word(start) in job.tables.words["name_macros"] else start
        if made.word(at) != "(" or made.word(end - 1) != ")":
            return start, end
        made.drop(start, at + 1)
        made.drop(end - 1, end)
        inner = made.trim(at + 1, end - 1)
        start, end = inner


def _shared(job: Job, index: int) -> None:
    made = job.editor
    brackets = made.call(index)
    args = made.arguments(*brackets) if brackets else []
    if brackets is None or len(args) != 2:
        return
    made.log(index, made.word(index), "extern __shared__", "kernel")
    made.drop(index, args[0][0])
    made.insert(args[0][0], "extern __shared__ ")
    made.drop(args[0][1], args[1][0])
    made.insert(args[1][0], " ")
    made.drop(args[1][1], brackets[1] + 1)
    made.insert(brackets[1], "[]" if made.word(made.next(brackets[1])) == ";" else "[];")
