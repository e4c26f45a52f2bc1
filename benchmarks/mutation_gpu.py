"""Wrong variants of CUDA and HIP texts: mistakes in threads, barriers, launches and copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from mutation import KINDS, Edit

_BARRIER = re.compile(r"__sync(?:threads|warp)\([^()]*\);|\b\w+\.sync\(\);")
_SHUFFLE = re.compile(r"__shfl(?:_down|_up|_xor)?(?:_sync)?(?=\()")
_OTHER_SHUFFLES = {"_down": "_up", "_up": "_down", "_xor": "_down", "": "_xor"}
_MASK = re.compile(r"0x[fF]{8,16}(?:[uU][lL]{0,2})?")
_AXIS = re.compile(r"\b(?:threadIdx|blockIdx|blockDim|gridDim)\.[xyz]")
_AXES = {"threadIdx": "blockIdx", "blockIdx": "threadIdx", "blockDim": "gridDim"}
_ATOMIC = re.compile(r"^( *)atomic(Add|Sub)\(", re.M)
_COPY = re.compile(r"\b(?:cuda|hip)Memcpy(?:Async)?(?=\()")
_TO_SYMBOL = re.compile(r"\b(?:cuda|hip)Memcpy(?:To|From)Symbol(?=\()")
_SET = re.compile(r"\b(?:cuda|hip)Memset(?:Async)?(?=\()")
_ALLOCATION = re.compile(r"\b(?:cuda|hip)Malloc(?=\()")
_KIND = re.compile(r"MemcpyHostToDevice|MemcpyDeviceToHost")
_LAUNCH = re.compile(r"<<<(.+?)>>>", re.S)
_DIM3 = re.compile(r"\bdim3 \w+(?=\()|\bdim3(?=\()")
_IF = re.compile(r"\bif (?=\()")
_HEADER = re.compile(r"\b(?:if|for|while|switch)\s*$")


def closing(text: str, at: int, pair: str = "()") -> int:
    """The place of the bracket that closes the one at `at`, or -1."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    return -1


def arguments(text: str, at: int) -> list[tuple[int, int]]:
    """Spans of the arguments in the brackets that open at `at`; white space is left out."""
    end = closing(text, at)
    return _split(text, at + 1, end) if end > 0 else []


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    cuts, depth = [start - 1], 0
    for i in range(start, end):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if text[i] == "," and depth == 0:
            cuts.append(i)
    spans = []
    for a, b in pairwise([*cuts, end]):
        part = text[a + 1 : b]
        spans.append((a + 1 + len(part) - len(part.lstrip()), b - len(part) + len(part.rstrip())))
    return spans


def _statement(text: str, call: int, end: int) -> tuple[int, int]:
    """The span of the call with its semicolon, if it is a statement of its own; else of nothing."""
    head = text[text.rfind("\n", 0, call) + 1 : call]
    whole = not head.strip() and text[end + 1 : end + 2] == ";"
    return (call, end + 2) if whole else (call, call)


def barriers(text: str) -> Iterator[Edit]:
    """A barrier is left out."""
    for m in _BARRIER.finditer(text):
        yield Edit("missing barrier", *m.span(), "")


def shuffles(text: str) -> Iterator[Edit]:
    """Another shuffle, other lanes, half of the lanes."""
    for m in _SHUFFLE.finditer(text):
        way = re.sub(r"__shfl|_sync", "", m[0])
        yield Edit("wrong shuffle", *m.span(), m[0].replace("__shfl" + way, "__shfl" + _other(way)))
        spans = arguments(text, m.end())
        lane = 2 if m[0].endswith("_sync") else 1
        if len(spans) > lane:
            a, b = spans[lane]
            yield Edit("wrong shuffle", a, b, f"({text[a:b]}) / 2")
            yield Edit("wrong shuffle", a, b, f"({text[a:b]}) + 1")
    for m in _MASK.finditer(text):
        yield Edit("wrong mask", *m.span(), m[0].replace("f", "", len(m[0]) // 2))


def _other(way: str) -> str:
    return _OTHER_SHUFFLES.get(way, "")


def axes(text: str) -> Iterator[Edit]:
    """Another dimension, or the block in place of the thread."""
    for m in _AXIS.finditer(text):
        word, dim = m[0].split(".")
        yield Edit("wrong axis", *m.span(), f"{word}.{'y' if dim == 'x' else 'x'}")
        if word in _AXES:
            yield Edit("wrong axis", *m.span(), f"{_AXES[word]}.{dim}")


def atomics(text: str) -> Iterator[Edit]:
    """An update that is not atomic."""
    for m in _ATOMIC.finditer(text):
        spans, end = arguments(text, m.end() - 1), closing(text, m.end() - 1)
        if len(spans) == 2 and text[end + 1 : end + 2] == ";":
            to, by = (text[a:b] for a, b in spans)
            sign = "+" if m[2] == "Add" else "-"
            yield Edit("missing atomic", m.start(), end + 1, f"{m[1]}*({to}) {sign}= {by}")


def launches(text: str) -> Iterator[Edit]:
    """A grid or block of another size."""
    for m in _LAUNCH.finditer(text):
        for a, b in _split(text, m.start(1), m.end(1))[:2]:
            if not re.fullmatch(r"[A-Za-z_]\w*", text[a:b]) and "dim3" not in text[a:b]:
                yield from _resized(text, a, b)
    for m in _DIM3.finditer(text):
        spans = arguments(text, m.end())
        for a, b in spans:
            yield from _resized(text, a, b)
        if len(spans) > 1 and text[slice(*spans[0])] != text[slice(*spans[1])]:
            (a, b), (c, d) = spans[:2]
            yield Edit("wrong launch", a, d, f"{text[c:d]}{text[b:c]}{text[a:b]}")


def _resized(text: str, a: int, b: int) -> Iterator[Edit]:
    x = text[a:b]
    if x != "1":
        for new in (f"({x}) / 2", f"({x}) - 1", "1"):
            yield Edit("wrong launch", a, b, new)
    yield Edit("wrong launch", a, b, f"({x}) * 2")


def copies(text: str) -> Iterator[Edit]:
    """A copy too short, the wrong way round, or none; memory too short or not cleared."""
    for pattern in (_COPY, _TO_SYMBOL, _SET):
        for m in pattern.finditer(text):
            span = _statement(text, m.start(), closing(text, m.end()))
            if span[0] < span[1]:
                yield Edit("missing copy", *span, "")
    for pattern, kind in ((_COPY, "wrong copy"), (_SET, "wrong copy"), (_TO_SYMBOL, "wrong copy")):
        for m in pattern.finditer(text):
            for a, b in arguments(text, m.end())[2:3]:
                yield Edit(kind, a, b, f"({text[a:b]}) / 2")
                yield Edit(kind, a, b, f"({text[a:b]}) - 4")
    for m in _KIND.finditer(text):
        other = "MemcpyDeviceToHost" if m[0].endswith("Device") else "MemcpyHostToDevice"
        yield Edit("wrong copy", *m.span(), other)
    for m in _ALLOCATION.finditer(text):
        for a, b in arguments(text, m.end())[1:2]:
            yield Edit("wrong allocation", a, b, f"({text[a:b]}) / 2")
            yield Edit("wrong allocation", a, b, f"({text[a:b]}) - 4")


def conditions(text: str) -> Iterator[Edit]:
    """A condition is taken for granted, or never holds."""
    for m in _IF.finditer(text):
        end = closing(text, m.end())
        if end > 0:
            yield Edit("dropped guard", m.end() + 1, end, "1")
            yield Edit("dropped guard", m.end() + 1, end, "0")


GPU_KINDS: tuple[Callable[[str], Iterator[Edit]], ...] = (
    barriers, shuffles, axes, atomics, launches, copies, conditions,
    *(k for k in KINDS if k.__name__ not in ("barriers", "guards")),
)  # fmt: skip


def bodies(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the bodies of functions, without their braces."""
    at = 0
    while (at := text.find("{", at)) >= 0:
        head = text[:at].rstrip()
        end = closing(text, at, "{}")
        if head.endswith((")", "const")) and not _HEADER.search(head[: _opening(head)]) and end > 0:
            yield at + 1, end
            at = end
        at += 1


def _opening(head: str) -> int:
    depth = 0
    for i in range(len(head) - 1, -1, -1):
        depth += (head[i] == ")") - (head[i] == "(")
        if depth == 0:
            return i
    return 0


def edits(text: str) -> list[Edit]:
    """Every edit of a CUDA or HIP text: in the bodies of functions, comments left alone."""
    return edits_of(text, GPU_KINDS)


def edits_of(text: str, kinds: Sequence[Callable[[str], Iterator[Edit]]]) -> list[Edit]:
    """Every edit of some kinds in the bodies of functions, comments left alone."""
    holes = [m.span() for m in re.finditer(r"//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*", text, re.S | re.M)]
    found = []
    for first, last in bodies(text):
        for kind in kinds:
            for e in kind(text[first:last]):
                moved = Edit(e.kind, e.start + first, e.end + first, e.new)
                if not any(
                    a < max(moved.end, moved.start + 1) and moved.start < b for a, b in holes
                ):
                    found.append(moved)
    return found
