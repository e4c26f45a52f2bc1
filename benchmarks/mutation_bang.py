"""Wrong variants of BANG C texts: mistakes in copies, memories, counts, waits and tasks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mutation import KINDS, Edit
from mutation_gpu import arguments, closing, conditions, edits_of

_WAIT = re.compile(r"__sync\w*\([^()]*\);")
_COPY = re.compile(r"\b__memcpy(?:_async)?(?=\()")
_VECTOR = re.compile(r"\b__bang_\w+(?=\()")
_DIRECTION = re.compile(r"\b(?:GDRAM|NRAM|WRAM|SRAM)2(?:GDRAM|NRAM|WRAM|SRAM)\b")
_DIRECTIONS = {
    "GDRAM2NRAM": "NRAM2GDRAM", "NRAM2GDRAM": "GDRAM2NRAM", "NRAM2NRAM": "GDRAM2NRAM",
    "NRAM2WRAM": "NRAM2NRAM", "GDRAM2WRAM": "GDRAM2NRAM",
}  # fmt: skip
_MEMORY = re.compile(r"__(nram|wram)__(?= [^;()]*\[)")
_EXTENT = re.compile(r"__(?:nram|wram)__ [^;()\[]*\[(\d+)\]")
_TASK = re.compile(r"\(int\)task(?:Id|Dim)\b|\btask(?:Id|Dim)\b")
_SHARE = re.compile(r"\b(?:min_int\(taskId, rest\)|\(\(int\)taskId < rest \? 1 : 0\))")
_SIZE = re.compile(r" \* sizeof\(\w+\)")
_INSTRUCTIONS = {
    "maxequal": "minequal", "minequal": "maxequal", "add": "sub", "sub": "add", "mul": "add",
    "div": "mul", "maxpool": "minpool", "minpool": "maxpool", "sumpool": "maxpool", "pow2": "log",
    "maxeq_scalar": "mineq_scalar", "mineq_scalar": "maxeq_scalar", "add_scalar": "sub_scalar",
    "sub_scalar": "add_scalar", "mul_scalar": "add_scalar", "cycle_add": "cycle_sub",
    "cycle_mul": "cycle_add", "sqrt": "abs", "abs": "sqrt", "ge_scalar": "gt_scalar",
    "gt_scalar": "ge_scalar", "lt_scalar": "le_scalar", "le_scalar": "lt_scalar",
}  # fmt: skip
_TRANSFER = re.compile(r"\bcnrtMem(?:cpy|set)(?=\()")
_KIND = re.compile(r"cnrtMemcpyHostToDev|cnrtMemcpyDevToHost")
_ALLOCATION = re.compile(r"\bcnrtMalloc(?=\()")
_GRID = re.compile(r"cnrtDim3_t \w+ = \{(\d+), ")


def waits(text: str) -> Iterator[Edit]:
    """A wait or barrier is left out, or a copy does not wait."""
    for m in _WAIT.finditer(text):
        yield Edit("missing wait", *m.span(), "")
    for m in _COPY.finditer(text):
        if not m[0].endswith("async"):
            yield Edit("missing wait", *m.span(), "__memcpy_async")


def copies(text: str) -> Iterator[Edit]:
    """Elements for bytes, a segment too many or too few, other strides, another direction."""
    for m in _COPY.finditer(text):
        spans = arguments(text, m.end())
        a, b = spans[2]
        size = text[a:b]
        new = _SIZE.sub("", size)
        yield Edit("elements for bytes", a, b, new if new != size else f"({size}) / 4")
        yield Edit("misaligned size", a, b, f"({size}) - 2")
        yield Edit("misaligned size", a, b, f"({size}) + 2")
        if len(spans) > 6:
            a, b = spans[-1]
            yield Edit("wrong segment count", a, b, f"({text[a:b]}) + 1")
            yield Edit("wrong segment count", a, b, f"({text[a:b]}) - 1")
            (a, b), (c, d) = spans[4:6]
            yield Edit("wrong stride", a, d, f"{text[c:d]}{text[b:c]}{text[a:b]}")
            yield Edit("wrong stride", a, b, f"({text[a:b]}) + 4")
    for m in _DIRECTION.finditer(text):
        if m[0] in _DIRECTIONS:
            yield Edit("wrong direction", *m.span(), _DIRECTIONS[m[0]])


def vectors(text: str) -> Iterator[Edit]:
    """Bytes for elements, another instruction, operands the wrong way round."""
    for m in _VECTOR.finditer(text):
        spans = arguments(text, m.end())
        a, b = spans[-1]
        yield Edit("bytes for elements", a, b, f"({text[a:b]}) * 4")
        yield Edit("wrong count", a, b, f"({text[a:b]}) - 1")
        yield Edit("wrong count", a, b, f"({text[a:b]}) + 1")
        other = _INSTRUCTIONS.get(m[0].removeprefix("__bang_"))
        if other:
            yield Edit("wrong instruction", *m.span(), f"__bang_{other}")
        if len(spans) == 4:
            (a, b), (c, d) = spans[1:3]
            yield Edit("swapped operands", a, d, f"{text[c:d]}{text[b:c]}{text[a:b]}")
        end = closing(text, m.end())
        if text[end + 1 : end + 2] == ";":
            yield Edit("missing instruction", m.start(), end + 2, "")


def memories(text: str) -> Iterator[Edit]:
    """Another memory, more than there is, less than is used."""
    for m in _MEMORY.finditer(text):
        yield Edit("wrong memory", *m.span(), "__wram__" if m[1] == "nram" else "__nram__")
    for m in _EXTENT.finditer(text):
        yield Edit("too much memory", *m.span(1), str(int(m[1]) + (1 << 20)))
        yield Edit("too little memory", *m.span(1), str(max(1, int(m[1]) // 2)))
        yield Edit("too little memory", *m.span(1), str(max(1, int(m[1]) - 1)))


def tasks(text: str) -> Iterator[Edit]:
    """The work is split in another way than the tasks think."""
    for m in _TASK.finditer(text):
        name = m[0].replace("(int)", "")
        for new in ("coreDim", "3") if name == "taskDim" else ("clusterId", "0", f"({m[0]} + 1)"):
            yield Edit("wrong task split", *m.span(), new)
    for m in _SHARE.finditer(text):
        yield Edit("wrong task split", *m.span(), "0")
        yield Edit("wrong task split", *m.span(), "1")


def hosts(text: str) -> Iterator[Edit]:
    """A transfer too short, the wrong way round, or none; a launch of another size."""
    for m in _TRANSFER.finditer(text):
        end = closing(text, m.end())
        yield Edit("missing transfer", m.start(), end + 2, "")
        a, b = arguments(text, m.end())[2]
        yield Edit("wrong transfer", a, b, f"({text[a:b]}) / 2")
        yield Edit("wrong transfer", a, b, f"({text[a:b]}) - 4")
    for m in _KIND.finditer(text):
        ways = ("cnrtMemcpyDevToHost", "cnrtMemcpyHostToDev")
        yield Edit("wrong transfer", *m.span(), ways[m[0] == ways[0]])
    for m in _ALLOCATION.finditer(text):
        a, b = arguments(text, m.end())[1]
        yield Edit("wrong allocation", a, b, f"({text[a:b]}) / 2")
    for m in _GRID.finditer(text):
        for tasks_ in ("3", "8"):
            yield Edit("wrong launch", *m.span(1), tasks_)


BANG_KINDS: tuple[Callable[[str], Iterator[Edit]], ...] = (
    waits, copies, vectors, memories, tasks, hosts, conditions,
    *(k for k in KINDS if k.__name__ not in ("barriers", "guards")),
)  # fmt: skip


def edits(text: str) -> list[Edit]:
    """Every edit of a BANG C text: in the bodies of functions, comments left alone."""
    return edits_of(text, BANG_KINDS)
