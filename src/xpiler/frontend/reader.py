"""The state of one function being read: names, places, and the statements emitted so far.

Normal form: expressions are pure. A side effect inside an expression (`i++`, `a = b`, a call
with effects) becomes a statement before the one that contains it, in C's order; values read
before that are kept in a temporary where the effect could change them. The right side of
`&&`, `||` and `?:` that needs statements becomes an `If` around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

from xpiler.diagnostics import SourceLoc
from xpiler.frontend.convert import convert, truth
from xpiler.frontend.cursor import Node
from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.source import Comment
from xpiler.frontend.unit import Unit
from xpiler.ir.expr import AddressOf, Axis, Call, Cast, Const, Expr, Field, Index, Var
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import fresh_name, walk, walk_exprs
from xpiler.ir.stmt import Assign, Barrier, Body, Decl, Eval, If, Instr, LeftOut, Stmt
from xpiler.ir.types import I32, Array, Pointer, Type

ExprReader = Callable[["FunctionReader", Node], Expr]
StmtReader = Callable[["FunctionReader", Node], None]
EXPRESSIONS: dict[str, ExprReader] = {}
STATEMENTS: dict[str, StmtReader] = {}
_MACRO_KINDS = frozenset(
    ("INTEGER_LITERAL", "FLOATING_LITERAL", "PAREN_EXPR", "BINARY_OPERATOR", "UNARY_OPERATOR",
     "CSTYLE_CAST_EXPR", "CHARACTER_LITERAL", "CXX_STATIC_CAST_EXPR", "CXX_FUNCTIONAL_CAST_EXPR",
     "CONDITIONAL_OPERATOR")
)  # fmt: skip


def expression(*kinds: str) -> Callable[[ExprReader], ExprReader]:
    """Registers the reader of expression cursors of these kinds."""

    def add(f: ExprReader) -> ExprReader:
        EXPRESSIONS.update(dict.fromkeys(kinds, f))
        return f

    return add


def statement(*kinds: str) -> Callable[[StmtReader], StmtReader]:
    """Registers the reader of statement cursors of these kinds."""

    def add(f: StmtReader) -> StmtReader:
        STATEMENTS.update(dict.fromkeys(kinds, f))
        return f

    return add


@dataclass
class Frame:
    """A body being read: the function's own, or one that is read in place (stub, lambda)."""

    this: Expr | None = None
    inlined: bool = False
    result: Expr | None = None
    result_type: Type | None = None
    returned: bool = False
    depth: int = 0
    root: Node | None = None


@dataclass
class Closure:
    """A lambda: its expression, and the copies of captured variables that may change."""

    node: Node
    copies: dict[tuple[int, int, str], Expr] = field(default_factory=dict)


@dataclass
class MemoryCore:
    """What one function's branches say of the memory core.

    `works`: what its work became. `served`: variables of the kernel that the work reads, `apart`:
    variables that have other values on other cores. `leaves`: somewhere some of them go on
    elsewhere. `there`: whether what is being read is done on the memory core alone, or never there.
    """

    works: list[If] = field(default_factory=list)
    served: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    leaves: bool = False
    there: bool | None = None


@dataclass
class FunctionReader:
    """Reads the body of one function into statements."""

    unit: Unit
    role: str
    ret: Type
    taken: set[str]
    root: Node
    comments: list[Comment] = field(default_factory=list)
    out: list[Stmt] = field(default_factory=list)
    prologue: list[Stmt] = field(default_factory=list)
    places: dict[tuple[int, int, str], Expr] = field(default_factory=dict)
    bound: list[tuple[int, int, str]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=lambda: [Frame()])
    loc: SourceLoc | None = None
    above: tuple[str, ...] = ()
    temps: set[str] = field(default_factory=set)
    memory: set[str] = field(default_factory=set)
    lambdas: dict[tuple[int, int, str], Closure] = field(default_factory=dict)
    address_lists: dict[tuple[int, int, str], list[Node]] = field(default_factory=dict)
    owned: list[Var] = field(default_factory=list)
    extents: list[tuple[str, Expr]] = field(default_factory=list)
    definitions: dict[str, Expr] = field(default_factory=dict)
    failures: list[tuple[NotUnderstood, SourceLoc]] = field(default_factory=list)
    memory_core: MemoryCore = field(default_factory=MemoryCore)
    _mutated: set[tuple[int, int, str]] | None = None

    # -- emitting ---------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def emit(self, st: Stmt) -> None:
        """Appends a statement; the pending comments go to it."""
        if st.loc is None or self.above:
            st = replace(st, loc=st.loc or self.loc, comments=self.above + st.comments)
            self.above = ()
        if isinstance(st, Decl) and st.init is not None:
            self.definitions[st.var.name] = st.init
        self.out.append(st)

    @contextmanager
    def capture(self) -> Iterator[list[Stmt]]:
        """What is emitted inside goes to the list that is given, not to the body."""
        saved, self.out = self.out, []
        inner = self.out
        try:
            yield inner
        finally:
            self.out = saved

    def fresh(self, name: str) -> str:
        return fresh_name(name or "unnamed", self.taken)

    def temp(self, value: Expr | None, t: Type, base: str = "t") -> Var:
        """A new local that holds `value`."""
        var = Var(self.fresh(base), t)
        self.temps.add(var.name)
        self.emit(Decl(var, value))
        return var

    def saved(self, e: Expr, base: str = "t") -> Expr:
        """`e`, or a temporary with its value when reading it twice would not be cheap and safe."""
        return e if simple(e) else self.temp(e, e.type, base)

    def claim(self, e: Expr) -> Stmt | None:
        """The statement that computes the temporary `e`, when it is the newest: taken back.

        So `t = shfl(..); x = t` becomes `x = shfl(..)`. Gives a Decl or an Instr, or None.
        """
        last = self.out[-1] if self.out else None
        if isinstance(last, Decl) and last.var == e and last.init is not None:
            return self.out.pop() if last.var.name in self.temps else None
        if isinstance(e, Cast) and isinstance(e.type, Pointer) and isinstance(e.x.type, Pointer):
            e = e.x  # `(T*)malloc(n)`
        if not (isinstance(e, Var) and e.name in self.temps):
            return None
        if isinstance(last, Instr) and last.outs == (e,) and len(self.out) > 1:
            before = self.out[-2]
            if isinstance(before, Decl) and before.var == e:
                self.out.pop()
                self.out.pop()
                return last
        return None

    def restore(self, newest: Stmt | None) -> None:
        """Puts back what `claim` took."""
        if isinstance(newest, Instr):
            out = newest.outs[0]
            assert isinstance(out, Var)
            self.out.append(Decl(out, loc=newest.loc))
        if newest is not None:
            self.out.append(newest)

    # -- names ------------------------------------------------------------------

    def bind(self, decl: Node, place: Expr) -> None:
        self.places[decl.key] = place
        self.bound.append(decl.key)

    def forget(self, mark: int) -> None:
        """Takes back the bindings made since `bound` was `mark` long."""
        for key in self.bound[mark:]:
            self.places.pop(key, None)
        del self.bound[mark:]

    def declare(self, decl: Node, t: Type) -> Var:
        """A new variable for a declaration."""
        var = Var(self.fresh(decl.name), t)
        self.bind(decl, var)
        return var

    def is_mutated(self, decl: Node) -> bool:
        """Whether the function may change the variable after its declaration."""
        return decl.key in self.mutated_keys()

    def mutated_keys(self) -> set[tuple[int, int, str]]:
        """The declarations that the function's text changes after they were made."""
        if self._mutated is None:
            self._mutated = set(mutations(self.root))
        return self._mutated

    # -- reading ----------------------------------------------------------------

    def fail(self, code: str, message: str, reason: str = "", help: str = "") -> NoReturn:
        raise NotUnderstood(code, message, reason, help)

    def expr(self, node: Node) -> Expr:
        """The value (or place) of an expression; emits what must happen before."""
        if node.kind in _MACRO_KINDS:
            named = self._macro(node)
            if named is not None:
                return named
        reader = EXPRESSIONS.get(node.kind)
        if reader is None:
            self.fail("XP0207", f"this expression ({node.kind.lower()}) is not understood")
        return reader(self, node)

    def _macro(self, node: Node) -> Const | None:
        source = self.unit.source
        if not source.macro_at:
            return None
        start = node.start
        name = source.macro_at.get(start)
        if name is None or node.end != start + len(name) or node.file != source.path:
            return None
        value = node.evaluate()
        known = source.macros.values[name]
        t = self.unit.types(node.type)
        if value is None or isinstance(t, Pointer) or abs(value - known) > 1e-6 * abs(known):
            return None
        return Const(bool(value) if t.__str__() == "bool" else value, t, name)

    def value(self, node: Node, t: Type) -> Expr:
        """The value of an expression as type `t`."""
        return convert(self.expr(node), t)

    def condition(self, node: Node) -> Expr:
        return truth(self.expr(node))

    def operands(self, nodes: Sequence[Node]) -> list[Expr]:
        """Values in order; a later one's side effects don't reach an earlier one's value."""
        return self.in_order([lambda n=n: self.expr(n) for n in nodes])  # type: ignore[misc]

    def in_order(self, readers: Sequence[Callable[[], Expr]]) -> list[Expr]:
        values: list[Expr] = []
        for read in readers:
            with self.capture() as effects:
                value = read()
            if effects:
                values = [self._guarded(v, effects) for v in values]
                self.out.extend(effects)
            values.append(value)
        return values

    def _guarded(self, value: Expr, effects: list[Stmt]) -> Expr:
        if isinstance(value.type, Array):
            return self._guarded_address(value, value.type, effects)
        return self.temp(value, value.type) if self.disturbed(value, effects) else value

    def _guarded_address(self, value: Expr, t: Array, effects: list[Stmt]) -> Expr:
        """An array stands for where it lies, whatever is written there."""
        where: list[Expr] = []
        found: Expr = value
        while isinstance(found, (Index, Field)):
            where += [found.index] if isinstance(found, Index) else []
            found = found.base
        where += [found] if isinstance(found.type, Pointer) else []
        if not any(self.disturbed(x, effects) for x in where):
            return value
        first = AddressOf(Index(value, Const(0, I32), t.elem), Pointer(t.elem))
        return self.temp(first, first.type)

    def disturbed(self, value: Expr, effects: Sequence[Stmt]) -> bool:
        """Whether executing `effects` may change what `value` gives."""
        written, memory = writes(tuple(effects))
        names = {n.name for n in walk_exprs(value) if isinstance(n, Var)}
        return bool(names & written) or (memory and self.reads_memory(value))

    def reads_memory(self, e: Expr) -> bool:
        """Whether the value depends on memory that others can write."""
        return any(
            isinstance(n, Index)
            or (isinstance(n, Call) and n.func not in math_functions())
            or (isinstance(n, Var) and n.name in self.memory)
            for n in walk_exprs(e)
        )

    def pure(self, node: Node) -> tuple[Expr, list[Stmt]]:
        """The value and the statements it needs, not yet emitted."""
        with self.capture() as effects:
            value = self.expr(node)
        return value, effects

    def body(self, node: Node | None) -> Body:
        """The statements of a nested body."""
        if node is None:
            return ()
        with self.capture() as inner:
            self.statement(node, nested=True)
        return tuple(inner)

    def effect(self, node: Node) -> None:
        """Evaluates an expression only for what it does."""
        from xpiler.frontend.operators import effect

        effect(self, node)

    def statement(self, node: Node, nested: bool = False) -> None:
        """Reads one statement; what is not understood is left out with a remark."""
        from xpiler.frontend.statements import read_statement

        read_statement(self, node, nested)


def simple(e: Expr) -> bool:
    """Whether `e` costs nothing to repeat: a variable, a constant, an axis, a field of one."""
    if isinstance(e, Field):
        return simple(e.base)
    return isinstance(e, (Var, Const, Axis))


def writes(body: Body) -> tuple[set[str], bool]:
    """Variables that `body` assigns as a whole or in part, and whether it writes other memory."""
    names: set[str] = set()
    memory = False
    for n in walk(body):
        targets: tuple[Expr, ...] = ()
        if isinstance(n, Assign):
            targets = (n.target,)
        elif isinstance(n, Instr):
            targets = n.outs
            memory = memory or not n.name.startswith("warp.")
        elif isinstance(n, (Barrier, Eval, LeftOut)) or (
            isinstance(n, Call) and n.func not in math_functions()
        ):
            memory = True
        for t in targets:
            name = root_name(t)
            memory = memory or name is None
            names |= {name} if name else set()
    return names, memory


def root_name(place: Expr) -> str | None:
    """The variable that a place is part of; None for memory behind a pointer."""
    while not isinstance(place, Var):
        base = getattr(place, "base", None)
        if base is None or isinstance(base.type, Pointer):
            return None
        place = base
    return place.name


def mutations(root: Node) -> Iterator[tuple[int, int, str]]:
    for n in root.walk():
        target = _changed(n)
        while target is not None:
            target = target.stripped()
            if target.kind == "DECL_REF_EXPR" and target.ref is not None:
                yield target.ref.key
            inside = target.kind in ("MEMBER_REF_EXPR", "ARRAY_SUBSCRIPT_EXPR") and target.kids
            target = target.kids[0] if inside else None


def _changed(n: Node) -> Node | None:
    if n.kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR"):
        op = n.binary
        return n.kids[0] if op.endswith("=") and op not in ("==", "<=", ">=", "!=") else None
    if n.kind == "UNARY_OPERATOR" and n.unary in ("p++", "p--", "++p", "--p", "&"):
        return n.kids[0]
    return None
