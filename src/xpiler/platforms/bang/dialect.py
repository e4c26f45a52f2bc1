"""What BANG C has beside its tables: enumerators as arguments, task launches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpiler.backend.dialect import Dialect
from xpiler.backend.names import free_name
from xpiler.backend.pieces import ARGUMENT, POSTFIX, UNARY, Piece
from xpiler.ir import expr as e
from xpiler.ir.types import I32, U32, Scalar

if TYPE_CHECKING:
    from xpiler.backend.expressions import ExpressionPrinter
    from xpiler.ir.stmt import Launch

SIZE = "sizeof."


class Bang(Dialect):
    """Enumerators and sizes are calls without arguments in the IR."""

    def call(self, n: e.Call, x: ExpressionPrinter) -> Piece | None:
        if n.func.startswith(SIZE):
            t = Scalar(n.func.removeprefix(SIZE))  # type: ignore[arg-type]
            return Piece(f"sizeof({x.type(t)})", POSTFIX, n.type, n.type, exact=True)
        if n.func == "char.bytes":
            return Piece(f"(char *){self._pointer(n.args[0], x)}", UNARY, n.type, n.type)
        if n.func not in x.unit.program.externals:
            return None
        if not n.args and not n.func.startswith("__"):
            return Piece(n.func, POSTFIX, n.type, n.type)
        given = ", ".join(x.exactly(a).within(ARGUMENT) for a in n.args)
        return Piece(f"{n.func}({given})", POSTFIX, n.type, n.type)

    def _pointer(self, n: e.Expr, x: ExpressionPrinter) -> str:
        return x.exactly(n).within(UNARY)

    def launch(self, st: Launch, x: ExpressionPrinter) -> list[str] | None:
        """A union of one cluster or several: a block of the IR is a cluster, a thread a core."""
        name, kernel = x.unit.functions[st.kernel]
        args = [x.assigned(a, p.type) for a, p in zip(st.args, kernel.params, strict=True)]
        tasks = [_product(a, b) for a, b in zip(st.grid, st.block, strict=True)]
        dim = ", ".join(x.assigned(n, U32) for n in tasks)
        job = {1: "Block", 4: "Union1", 8: "Union2", 16: "Union4"}[_value(st.block[0])]
        used = set(x.names.values())
        size, queue = (free_name(n, x.spelling.keywords, used) for n in ("dim", "queue"))
        return [
            "{",
            f"    cnrtQueue_t {queue};",
            f"    cnrtQueueCreate(&{queue});",
            f"    cnrtDim3_t {size} = {{{dim}}};",
            f"    {name}<<<{size}, cnrtFuncType{job}, {queue}>>>({', '.join(args)});",
            f"    cnrtQueueSync({queue});",
            f"    cnrtQueueDestroy({queue});",
            "}",
        ]


def _value(n: e.Expr) -> int:
    while isinstance(n, e.Cast):
        n = n.x
    return int(n.value) if isinstance(n, e.Const) else 1


def _product(a: e.Expr, b: e.Expr) -> e.Expr:
    if isinstance(a, e.Const) and isinstance(b, e.Const):
        return e.Const(int(a.value) * int(b.value), U32)
    if _value(b) == 1:
        return a
    return a if _value(a) == 1 and not isinstance(b, e.Const) else e.Binary("*", a, b, U32)


DIALECT = Bang()
__all__ = ["DIALECT", "I32"]
