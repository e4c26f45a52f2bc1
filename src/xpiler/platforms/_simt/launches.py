"""Rewrite kernel launches into plain calls.

`k<<<g, b, s>>>(x, y)` becomes
`::xp_simt::launch(__LINE__, "k", ::xp_simt::Config(g, b, s), k)(x, y)`: the arguments are evaluated
once, converted to the kernel's parameter types, and copied for each thread. A template kernel is
passed as a generic closure, so that its arguments are deduced as usual.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xpiler.platforms._simt.lexer import (
    Edit,
    Token,
    apply,
    code,
    join,
    lex,
    match_angle_close,
    match_angle_open,
    match_close,
    match_open,
    next_solid,
    spaced,
    split_commas,
    words,
)
from xpiler.platforms._simt.scopes import statement_start

_ZERO = re.compile(r"^\(?0[uUlL]*\)?$")
# Functions of the headers: a kernel of the same name is one of several overloads.
_CROWDED = words(
    "abs acos acosh asin asinh atan atan2 atanh cbrt ceil clock copysign cos cosh erf erfc exp "
    "exp2 exp10 expm1 fabs fdim floor fma fmax fmin fmod hypot isfinite isinf isnan ldexp log "
    "log10 log1p log2 max min modf nextafter norm3d norm4d pow printf rand remainder rint round "
    "rsqrt sin sincos sinh sqrt tan tanh tgamma trunc hexp hlog hsqrt hrsqrt hrcp hsin hcos "
    "hfloor hceil free malloc memcpy memset exit"
)
_JOINERS = {"::", ".", "->", "##"}
_CASTS = {"reinterpret_cast", "static_cast", "const_cast"}


def template_kernels(tokens: Sequence[Token]) -> set[str]:
    """Kernels that can't be passed as a function: templates, overloads, default arguments."""
    seen: set[str] = set()
    found: set[str] = set()
    for i, token in enumerate(tokens):
        if token.text != "__global__":
            continue
        start, name = statement_start(tokens, i), _kernel_name(tokens, i)
        brace = _body_follows(tokens, name)
        text = tokens[name].text
        overloaded = brace and text in seen
        if tokens[start].text == "template" or overloaded or _has_default(tokens, name):
            found.add(text)
        if brace:
            seen.add(text)
    return found


def launch_bounds(tokens: Sequence[Token]) -> dict[str, str]:
    """Kernel -> the most threads that its `__launch_bounds__` allows (a number or a name)."""
    found: dict[str, str] = {}
    for i, token in enumerate(tokens):
        opened = next_solid(tokens, i + 1)
        closed = match_close(tokens, opened) if token.text == "__launch_bounds__" else None
        if closed is None or token.directive:
            continue
        first = [t for t in split_commas(tokens[opened + 1 : closed])[0] if not t.blank]
        start, end = statement_start(tokens, i), _kernel_name(tokens, closed + 1)
        if len(first) == 1 and tokens[start].text != "template":
            found[tokens[end].text] = first[0].text
    return found


def _kernel_name(tokens: Sequence[Token], index: int) -> int:
    """The name before the parameter list of the kernel declared at `index`."""
    i = index
    while i < len(tokens):
        if tokens[i].text == "(":
            before = next_solid(tokens, i - 1, -1)
            closed = match_close(tokens, i)
            if tokens[before].text not in {"__launch_bounds__", "__attribute__", "__align__"}:
                return before
            i = closed or i
        i += 1
    return index


def _has_default(tokens: Sequence[Token], name: int) -> bool:
    opened = next_solid(tokens, name + 1)
    closed = match_close(tokens, opened) if opened < len(tokens) else None
    return closed is not None and any(t.text == "=" for t in tokens[opened:closed])


def _body_follows(tokens: Sequence[Token], name: int) -> bool:
    opened = next_solid(tokens, name + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return False
    closed = match_close(tokens, opened)
    after = next_solid(tokens, closed + 1) if closed is not None else len(tokens)
    return after < len(tokens) and tokens[after].text == "{"


def rewrite_launches(text: str) -> str:
    """The text with each `<<<...>>>` launch replaced; lines keep their numbers."""
    while "<<<" in text:
        tokens = lex(text)
        templates, bounds = template_kernels(tokens), launch_bounds(tokens)
        edits: list[Edit] = []
        for i, token in enumerate(tokens):
            if token.text == "<<<" and (not edits or i > edits[-1].end):
                edit = _chevron(tokens, i, templates, bounds)
                if edit is not None:
                    edits.append(edit)
        if not edits:
            break
        text = apply(tokens, edits)
    return text


def _chevron(
    tokens: Sequence[Token], index: int, templates: set[str], bounds: Mapping[str, str]
) -> Edit | None:
    closing = _chevron_end(tokens, index)
    start = callee_start(tokens, index)
    if closing is None or start is None:
        return None
    opened = next_solid(tokens, closing + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return None
    closed = match_close(tokens, opened)
    if closed is None:
        return None
    configuration = code(tokens[index + 1 : closing - 2]).strip()
    arguments = tokens[opened + 1 : closed]
    call = launch_text(tokens[start:index], configuration, arguments, templates, bounds)
    return Edit(start, closed + 1, call)


def launch_text(
    callee: Sequence[Token],
    configuration: str,
    arguments: Sequence[Token],
    templates: set[str],
    bounds: Mapping[str, str],
) -> str:
    """The call that launches; `callee` and `arguments` as they stand in the text."""
    name = spaced(t for t in callee if not t.blank)
    label = name.replace("\\", "").replace('"', "'")
    target = generic(name) if needs_generic(callee, templates) else name
    bound = f".bounded({bounds[name]})" if name in bounds else ""
    shape = f"::xp_simt::Config({configuration}){bound}"
    return f'::xp_simt::launch(__LINE__, "{label}", {shape}, {target})({_passed(arguments)})'


def _passed(arguments: Sequence[Token]) -> str:
    parts = split_commas(arguments)
    texts = [[t.text for t in part] for part in parts]
    if any(t.count("<") != t.count(">") for t in texts):  # commas of a template argument list
        return code(arguments)
    return ",".join(_argument(part) for part in parts)


def generic(name: str) -> str:
    """A closure that calls `name` with whatever it is given."""
    return f"[&](auto... xp_a) {{ {name}(xp_a...); }}"


def needs_generic(callee: Sequence[Token], templates: set[str]) -> bool:
    """Whether the callee can't be passed as a function pointer."""
    solid = [t for t in callee if not t.blank]
    if not solid:
        return False
    names = {t.text for t in solid if t.kind == "name"}
    parameter = solid[0].directive > 0 and len(solid) == 1
    return bool(names & (templates | _CROWDED)) or solid[-1].text == ">" or parameter


def _argument(part: Sequence[Token]) -> str:
    solid = [t for t in part if not t.blank]
    text = join(solid)
    if text == "NULL":
        return code(part).replace("NULL", "nullptr")
    return "::xp_simt::Zero()" if _ZERO.match(text) else code(part)


def _chevron_end(tokens: Sequence[Token], index: int) -> int | None:
    """Index of the last `>` of the `>>>` that closes the `<<<` at `index`."""
    depth = 0
    for i in range(index + 1, len(tokens)):
        text = tokens[i].text
        if text in {"(", "[", "{"}:
            depth += 1
        elif text in {")", "]", "}"}:
            depth -= 1
            if depth < 0:
                return None
        elif text == ">" and depth == 0 and _run(tokens, i) == 3:
            return i + 2
        elif text == ";" and depth == 0:
            return None
    return None


def _run(tokens: Sequence[Token], index: int) -> int:
    count = 0
    while index + count < len(tokens) and tokens[index + count].text == ">":
        count += 1
    return count


def _may_precede_bracket(token: Token) -> bool:
    return token.kind == "name" or token.text in {")", "]"}


def callee_start(tokens: Sequence[Token], index: int) -> int | None:
    """Start of the postfix expression that ends before `index`: `ns::k<T>`, `t[i].k`, `(f)`."""
    i = next_solid(tokens, index - 1, -1)
    start = None
    while i >= 0:
        text = tokens[i].text
        if text == ">":
            opened = match_angle_open(tokens, i)
        elif text in {")", "]"}:
            opened = match_open(tokens, i)
        else:
            opened = None
        if opened is not None:
            start = opened
            i = next_solid(tokens, opened - 1, -1)
            if text != ")" and i >= 0 and _may_precede_bracket(tokens[i]):
                continue
        elif tokens[i].kind == "name" and text != "return":
            start = i
            i = next_solid(tokens, i - 1, -1)
        else:
            break
        if i < 0 or tokens[i].text not in _JOINERS:
            if i >= 0 and tokens[i].text == "template":
                start = i
            break
        start = i if tokens[i].text == "::" else start
        i = next_solid(tokens, i - 1, -1)
        if i >= 0 and tokens[i].kind != "name" and tokens[i].text not in {">", ")", "]"}:
            break
        if i >= 0 and tokens[i].text == "return":
            break
    return start


def rewrite_launch_calls(text: str, spelled: dict[str, bool]) -> str:
    """API launches: `cudaLaunchKernel((void*)k, g, b, args, n, st)` gets the kernel with its type.

    `spelled` maps each function's name to whether it launches cooperatively.
    """
    if not any(name in text for name in spelled):
        return text
    tokens = lex(text)
    edits: list[Edit] = []
    for i, token in enumerate(tokens):
        if token.text not in spelled:
            continue
        opened = next_solid(tokens, i + 1)
        closed = match_close(tokens, opened) if opened < len(tokens) else None
        if opened >= len(tokens) or tokens[opened].text != "(" or closed is None:
            continue
        comma = _first_comma(tokens, opened, closed)
        kernel = spaced(without_casts([t for t in tokens[opened + 1 : comma] if not t.blank]))
        entry = "launch_api_cooperative" if spelled[token.text] else "launch_api"
        edits.append(Edit(i, comma, f'::xp_simt::{entry}(__LINE__, "{kernel}", {kernel}'))
    return apply(tokens, edits)


def _first_comma(tokens: Sequence[Token], opened: int, closed: int) -> int:
    """The comma after the first argument; template argument lists are looked through."""
    i = opened + 1
    while i < closed:
        text = tokens[i].text
        if text in {"(", "[", "{"}:
            i = match_close(tokens, i) or i
        elif text == "<":
            i = match_angle_close(tokens, i) or i
        elif text == ",":
            return i
        i += 1
    return closed


def without_casts(solid: Sequence[Token]) -> list[Token]:
    """`(void*)k`, `(const void *)&k`, `reinterpret_cast<void*>(k)` -> `k`."""
    tokens = list(solid)
    while tokens:
        if tokens[0].text == "&":
            tokens = tokens[1:]
        elif tokens[0].text in _CASTS:
            tokens = tokens[(match_angle_close(tokens, 1) or 1) + 2 : -1]
        elif tokens[0].text == "(":
            closed = match_close(tokens, 0)
            if closed is None:
                break
            tokens = tokens[1:closed] if closed == len(tokens) - 1 else tokens[closed + 1 :]
        else:
            break
    return tokens
