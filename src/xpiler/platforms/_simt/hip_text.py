"""Rewrites that only HIP text needs: its launch macros and clang's vector types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xpiler.platforms._simt.launches import launch_bounds, launch_text, template_kernels
from xpiler.platforms._simt.lexer import (
    Edit,
    Token,
    apply,
    code,
    join,
    lex,
    match_angle_close,
    match_close,
    next_solid,
    split_commas,
)

_VECTOR_WORDS = {
    "ext_vector_type": "ExtVector",
    "__ext_vector_type__": "ExtVector",
    "vector_size": "VectorOfBytes",
    "__vector_size__": "VectorOfBytes",
}


def rewrite_launch_macros(text: str) -> str:
    """`hipLaunchKernelGGL(k, g, b, n, s, args...)` and `HIP_DYNAMIC_SHARED(T, name)`."""
    if "hipLaunchKernelGGL" not in text and "HIP_DYNAMIC_SHARED" not in text:
        return text
    tokens = lex(text)
    templates, bounds = template_kernels(tokens), launch_bounds(tokens)
    edits: list[Edit] = []
    for i, token in enumerate(tokens):
        opened = next_solid(tokens, i + 1)
        if token.kind != "name" or opened >= len(tokens) or tokens[opened].text != "(":
            continue
        closed = match_close(tokens, opened)
        if closed is None:
            continue
        inner = tokens[opened + 1 : closed]
        if token.text in {"hipLaunchKernelGGL", "hipLaunchKernel_"}:
            edits.append(Edit(i, closed + 1, _ggl(inner, templates, bounds)))
        elif token.text == "HIP_DYNAMIC_SHARED":
            parts = split_commas(inner)
            kind, name = code(parts[0]).strip(), code(parts[-1]).strip()
            edits.append(Edit(i, closed + 1, f"extern __shared__ {kind} {name}[];"))
    return apply(tokens, edits)


def _ggl(inner: Sequence[Token], templates: set[str], bounds: Mapping[str, str]) -> str:
    parts = _arguments(inner)
    kernel = [t for t in parts[0] if not t.blank]
    if kernel and kernel[0].text == "HIP_KERNEL_NAME":
        kernel = kernel[2:-1]
    while kernel and kernel[0].text == "(" and match_close(kernel, 0) == len(kernel) - 1:
        kernel = kernel[1:-1]
    configuration = ", ".join(code(p).strip() for p in parts[1:5])
    rest: list[Token] = []
    for part in parts[5:]:
        rest += [Token("punct", ",")] if rest else []
        rest += part
    return launch_text(kernel, configuration, rest, templates, bounds)


def _arguments(tokens: Sequence[Token]) -> list[list[Token]]:
    """Arguments of a macro call whose first may hold a template argument list."""
    i = 0
    while i < len(tokens) and tokens[i].text != ",":
        if tokens[i].text == "<":
            i = match_angle_close(tokens, i) or i
        elif tokens[i].text == "(":
            i = match_close(tokens, i) or i
        i += 1
    return [list(tokens[:i]), *split_commas(tokens[i + 1 :])]


def rewrite_vector_types(text: str) -> str:
    """`typedef T v __attribute__((ext_vector_type(4)))` -> `using v = ::xp_simt::ExtVector<T, 4>`.

    A class, because g++ has no vectors with named parts, nor of our 16-bit floating types.
    """
    if not any(word in text for word in _VECTOR_WORDS):
        return text
    tokens = lex(text)
    edits: list[Edit] = []
    for i, token in enumerate(tokens):
        if token.text in {"typedef", "using"}:
            end = _statement_end(tokens, i)
            new = _alias(tokens[i:end])
            if new:
                edits.append(Edit(i, end, new))
    return apply(tokens, edits)


def _statement_end(tokens: Sequence[Token], index: int) -> int:
    home = tokens[index].directive
    for i in range(index, len(tokens)):
        if tokens[i].text == ";" or (home and tokens[i].directive != home):
            return i
    return len(tokens)


def _alias(tokens: Sequence[Token]) -> str:
    at = next((i for i, t in enumerate(tokens) if t.text == "__attribute__"), None)
    if at is None:
        return ""
    opened = next_solid(tokens, at + 1)
    closed = match_close(tokens, opened) if opened < len(tokens) else None
    if closed is None:
        return ""
    inside = tokens[opened + 1 : closed]
    at_word = next((i for i, t in enumerate(inside) if t.text in _VECTOR_WORDS), None)
    if at_word is None:
        return ""
    bracket = next_solid(inside, at_word + 1)
    end = match_close(inside, bracket) if bracket < len(inside) else None
    if end is None:
        return ""
    count, template = code(inside[bracket + 1 : end]).strip(), _VECTOR_WORDS[inside[at_word].text]
    rest = [*tokens[1:at], *tokens[closed + 1 :]]
    return _alias_text(tokens[0].text, rest, template, count)


def _alias_text(keyword: str, rest: Sequence[Token], template: str, count: str) -> str:
    equals = next((i for i, t in enumerate(rest) if t.text == "="), None)
    names = [i for i, t in enumerate(rest) if t.kind == "name"]
    if not names or (keyword == "using" and equals is None):
        return ""
    if keyword == "using" and equals is not None:
        name, element = join(rest[:equals]).strip(), code(rest[equals + 1 :]).strip()
    else:
        name = rest[names[-1]].text
        element = code([*rest[: names[-1]], *rest[names[-1] + 1 :]]).strip()
    ending = "::type" if template == "VectorOfBytes" else ""
    return f"using {name} = ::xp_simt::{template}<{' '.join(element.split())}, {count}>{ending}"
