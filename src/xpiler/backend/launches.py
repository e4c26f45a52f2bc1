"""Kernel launches as text, from the platform's `[launches]` table."""

from __future__ import annotations

from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import U32, U64

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
    words = {
        "kernel": name,
        "grid": size_text(st.grid, x),
        "block": size_text(st.block, x),
        "shared": shared_text(st.shared_bytes, x),
        "args": ", ".join(args),
    }
    for word, text in words.items():
        template = template.replace(f"{{{word}}}", text)
    return template.splitlines()


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
