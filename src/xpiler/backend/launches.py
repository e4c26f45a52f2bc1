"""Kernel launches as text, from the platform's `[launches]` table."""

from __future__ import annotations

from dataclasses import replace

from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.names import free_name
from xpiler.backend.types import declare
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.types import U32, U64, Pointer

Size = tuple[e.Expr, e.Expr, e.Expr]


def launch_lines(st: s.Launch, x: ExpressionPrinter) -> list[str]:
    """The lines of a launch; raises XpilerError where the platform has no spelling for it."""
    if (own := x.spelling.dialect.launch(st, x)) is not None:
        return own
    key = "cooperative" if st.cooperative else "plain"
    template = x.spelling.launches.get(key)
    if template is None:
        raise cannot_print(f"the launch of {st.kernel}", "the platform's table says nothing of it")
    name, kernel = x.unit.functions[st.kernel]
    args = [x.assigned(a, p.type) for a, p in zip(st.args, kernel.params, strict=True)]
    made, addresses = _addresses(st, kernel, x) if "{addresses}" in template else ([], "")
    words = {
        "kernel": name,
        "grid": size_text(st.grid, x),
        "block": size_text(st.block, x),
        "shared": shared_text(st.shared_bytes, x),
        "args": ", ".join(args),
        "addresses": addresses,
        "bytes": _shared_bytes(st, x),
    }
    for word, text in words.items():
        template = template.replace(f"{{{word}}}", text)
    lines = template.splitlines()
    return ["{", *(f"    {line}" for line in (*made, *lines)), "}"] if made else lines


def _addresses(st: s.Launch, kernel: Function, x: ExpressionPrinter) -> tuple[list[str], str]:
    """Declarations of what has no address yet, and the addresses of all arguments."""
    made: list[str] = []
    shown: list[str] = []
    taken = set(x.names.values())
    for a, p in zip(st.args, kernel.params, strict=True):
        if isinstance(a, e.Var) and a.type == p.type:
            shown.append(f"(void *)&{x.piece(a).text}")
            continue
        name = free_name(f"arg_{p.name}", x.spelling.keywords, taken)
        taken.add(name)
        kind = replace(p.type, restrict=False) if isinstance(p.type, Pointer) else p.type
        made.append(f"{declare(kind, name, x.spelling)} = {x.assigned(a, p.type)};")
        shown.append(f"(void *)&{name}")
    name = free_name("args", x.spelling.keywords, taken)
    made.append(f"void *{name}[] = {{{', '.join(shown)}}};")
    return made, name


def _shared_bytes(st: s.Launch, x: ExpressionPrinter) -> str:
    return "0" if st.shared_bytes is None else x.assigned(st.shared_bytes, U64)


def size_text(size: Size, x: ExpressionPrinter) -> str:
    """Three extents, as few of them as the rest being 1 allows."""
    words = x.spelling.syntax
    shown = [x.assigned(_bare(n), U32) for n in size]
    used = max((k for k, n in enumerate(size) if not _is_one(n)), default=0)
    template = (words.size_x, words.size_xy, words.size_xyz)[used]
    for dim, text in zip("xyz", shown, strict=True):
        template = template.replace(f"{{{dim}}}", text)
    return template


def shared_text(shared: e.Expr | None, x: ExpressionPrinter) -> str:
    """What follows grid and block where a block has dynamic shared memory."""
    if shared is None or (isinstance(shared, e.Const) and shared.value == 0):
        return ""
    return x.spelling.syntax.shared_bytes.replace("{0}", x.assigned(_bare(shared), U64))


def _is_one(n: e.Expr) -> bool:
    while isinstance(n, e.Cast):
        n = n.x
    return isinstance(n, e.Const) and n.value == 1 and n.text in (None, "1")


def _bare(n: e.Expr) -> e.Expr:
    """An extent without the conversion that the call does by itself."""
    return n
