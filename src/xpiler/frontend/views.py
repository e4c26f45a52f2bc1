"""Which elements an integer register holds: its lanes' type, from how they are used.

`__m512i` says only how wide a register is. Registers that are moved into each other as wholes
form a class; a class has the narrowest lanes that anything reads or writes of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xpiler.frontend.reader import root_name
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Scalar, Type, Vector

BITWISE = frozenset(("&", "|", "^"))


def register_of(t: Type) -> Vector | None:
    """The vector type of a register or of an array of registers."""
    while isinstance(t, Array):
        t = t.elem
    return t if isinstance(t, Vector) else None


def uncast(x: e.Expr) -> e.Expr:
    """The pointer below conversions between pointer types."""
    while isinstance(x, e.Cast) and isinstance(x.type, Pointer):
        if not isinstance(x.x.type, (Pointer, Array)):
            break
        x = x.x
    return x


@dataclass
class Views:
    """The classes of registers of one function, and what is asked of each."""

    parent: dict[str, str] = field(default_factory=dict)
    own: dict[str, Scalar] = field(default_factory=dict)
    asked: dict[str, Counter[Scalar]] = field(default_factory=dict)
    hints: dict[str, Counter[Scalar]] = field(default_factory=dict)

    def collect(self, body: s.Body) -> None:
        for n in walk(body):
            if isinstance(n, e.Var) and (t := register_of(n.type)):
                self.own.setdefault(n.name, t.elem)
        for n in walk(body):
            if isinstance(n, e.Index) and isinstance(n.base.type, Vector):
                self._ask(n.base, n.base.type.elem)
            elif isinstance(n, s.Decl) and isinstance(n.var.type, Vector) and n.init is not None:
                self._move(n.var, n.init)
            elif isinstance(n, s.Assign) and isinstance(n.target.type, Vector):
                self._move(n.target, n.value)

    def elem(self, name: str) -> Scalar:
        """The type of the lanes of a register variable."""
        own = self.own[name]
        if _settled(own):
            return own
        root = self._root(name)
        if own.is_float:
            return self._of_double(root, own)
        asked, hints = self.asked.get(root, Counter()), self.hints.get(root, Counter())
        pool = asked or hints
        if not pool:
            return own
        narrow = min(t.bits for t in pool)
        best = [t for t in pool if t.bits == narrow]
        whole = [t for t in best if t.is_integer] or [Scalar(f"i{narrow}")]  # type: ignore[arg-type]
        return max(whole, key=lambda t: (pool[t], t.is_signed))

    def _of_double(self, root: str, own: Scalar) -> Scalar:
        """Doubles are kept as such, unless narrower lanes are read or written."""
        narrow = [t for t in self.asked.get(root, ()) if t.bits < own.bits]
        least = min((t.bits for t in narrow), default=0)
        floats = [t for t in narrow if t.bits == least and t.is_float]
        return floats[0] if floats else Scalar(f"i{least}") if narrow else own  # type: ignore[arg-type]

    # -- gathering --------------------------------------------------------------------

    def _root(self, name: str) -> str:
        while self.parent.get(name, name) != name:
            name = self.parent[name]
        return name

    def _ask(self, x: e.Expr, t: Scalar, table: dict[str, Counter[Scalar]] | None = None) -> None:
        for leaf in leaves(x):
            name = root_name(leaf) if e.is_place(leaf) else None
            if name in self.own and not _settled(self.own[name]):
                counts = self.asked if table is None else table
                counts.setdefault(self._root(name), Counter())[t] += 1

    def _move(self, target: e.Expr, value: e.Expr) -> None:
        """`target = value` of whole registers: integers share a class, others give a hint."""
        all_leaves = [*leaves(target), *leaves(value)]
        for node in walk(value):
            if isinstance(node, e.Binary) and isinstance(node.type, Vector):
                self._arithmetic(node, target)
        names = [n for x in all_leaves if e.is_place(x) and (n := root_name(x)) in self.own]
        whole = [n for n in names if not self.own[n].is_float]
        for n in whole[1:]:
            self._unite(whole[0], n)
        if not whole:
            return
        for n in names:
            if self.own[n].is_float:
                self._hint(whole[0], self.own[n])
        for x in all_leaves:
            if isinstance(x, e.Index) and root_name(x) not in self.own:
                t = uncast(x.base).type
                inner = t.elem if isinstance(t, (Pointer, Array)) else t
                if isinstance(inner, Scalar) and inner.bits:
                    self._hint(whole[0], inner)

    def _arithmetic(self, node: e.Binary, target: e.Expr) -> None:
        if node.op in BITWISE:
            return
        for x in (node.a, node.b, target):
            if isinstance(x.type, Vector):
                t = node.a.type if isinstance(node.a.type, Vector) else node.type
                assert isinstance(t, Vector)
                self._ask(x, t.elem)

    def _hint(self, name: str, t: Scalar) -> None:
        self.hints.setdefault(self._root(name), Counter())[t] += 1

    def _unite(self, a: str, b: str) -> None:
        a, b = self._root(a), self._root(b)
        if a == b:
            return
        self.parent[b] = a
        for table in (self.asked, self.hints):
            if b in table:
                table.setdefault(a, Counter()).update(table.pop(b))


def _settled(own: Scalar) -> bool:
    """Whether a register's lanes are of its own type whatever is asked of it."""
    return own.is_float and own.bits < 64


def leaves(x: e.Expr) -> list[e.Expr]:
    """The registers (or places in memory) that a whole-register value passes on bit by bit."""
    if isinstance(x, e.Bits):
        return leaves(x.x)
    if isinstance(x, e.Binary) and isinstance(x.type, Vector):
        return [*leaves(x.a), *leaves(x.b)] if x.op in BITWISE else []
    if isinstance(x, e.Unary) and isinstance(x.type, Vector):
        return leaves(x.x)
    if isinstance(x, e.Select):
        return [*leaves(x.a), *leaves(x.b)]
    return [x]
