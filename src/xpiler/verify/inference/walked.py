"""Run a host function for the addresses that it touches alone: its loops as Python code.

What memory holds is not known; where that decides about an address or a loop, there is no answer.
Numbers are exact, but signed ones do not wrap. Buffers lie far apart in one space of addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Fragment, Pointer, Scalar, Struct
from xpiler.verify.inference.ends import only_ends_matter
from xpiler.verify.inference.entries import handed, leaves
from xpiler.verify.inference.unknown import UNKNOWN, Seen, Span, address, helpers
from xpiler.verify.inference.values import field_offset, place, size_of

OBJECT = "local struct "  # begins the names of regions that hold structs which the entry is given


class Unfit(Exception):
    """The function is not of a kind that is run like this."""


@dataclass(frozen=True)
class Reach:
    """The bytes from and to which each buffer is read and written, and the turns that it took."""

    reads: Mapping[str, Span | None]
    writes: Mapping[str, Span | None]
    turns: int

    def span(self, name: str) -> Span | None:
        """The bytes that are touched in one way or the other."""
        found = [x for x in (self.reads.get(name), self.writes.get(name)) if x is not None]
        return (min(a for a, _ in found), max(b for _, b in found)) if found else None


def _from_start(region: int, span: Span | None) -> Span | None:
    return None if span is None else (span[0] - address(region), span[1] - address(region))


class Walk:
    """One function as Python code; `reach` runs it. Raises Unfit."""

    def __init__(self, program: Program, entry: Function) -> None:
        writer = _Program(program, entry)
        text = writer.text()
        self.names, self.regions = writer.inputs, writer.regions
        self.globals: dict[str, Any] = {}
        try:
            exec(compile(text, f"<{entry.name}>", "exec"), self.globals)
        except SyntaxError as why:  # blocks nested too deeply
            raise Unfit(str(why)) from why

    @property
    def buffers(self) -> list[str]:
        """The names of the pointers that the function is given."""
        return [n for n in self.regions[1:] if not n.startswith("local ")]

    def reach(self, sizes: Mapping[str, int | float], turns: int) -> Reach | None:
        """What is touched of each buffer; None where that depends on what is not known.

        At most so many turns of loops are taken. Raises Tired where they do not do.
        """
        objects = {k for k, n in enumerate(self.regions) if n.startswith(OBJECT)}
        seen = Seen(len(self.regions), turns, objects)
        start = {f"b{k}": address(k) for k in range(len(self.regions))}
        self.globals.update(helpers(seen), **start)
        try:
            self.globals["entry"](*(sizes.get(n, UNKNOWN) for n in self.names))
        except (TypeError, ValueError, IndexError, ArithmeticError, NameError, RecursionError):
            return None
        reads, writes = (
            {n: _from_start(k, x[k]) for k, n in enumerate(self.regions)}
            for x in (seen.reads, seen.writes)
        )
        return Reach(reads, writes, turns - seen.left)


@dataclass
class _Program:
    """The functions that the entry calls, and where its buffers lie."""

    program: Program
    entry: Function
    inputs: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=lambda: ["nothing"])
    done: dict[str, str] = field(default_factory=dict)
    objects: dict[str, e.Var] = field(default_factory=dict)

    def region(self, name: str) -> str:
        """The address at which a buffer begins."""
        if name not in self.regions:
            self.regions.append(name)
        return f"b{self.regions.index(name)}"

    def text(self) -> str:
        own = {p.name for p in self.entry.params}
        for p in handed(self.program, self.entry):
            for name, x in leaves(self.program, p, p.name):
                if isinstance(x.type, Pointer):
                    self.region(name)
                elif isinstance(x.type, Scalar) and not x.type.is_float:
                    self.inputs.append(name)
            if isinstance(p.type, Struct):
                self.objects[p.name] = p
        writer = _Writer(self, self.entry, own)
        body = writer.block(self.entry.body, 1)
        given = ", ".join(writer.name(n) for n in self.inputs)
        start = [f"def entry({given}):", *(f" {line}" for line in writer.first()), *body]
        return "\n".join([*self.done.values(), *start])

    def function(self, name: str) -> str:
        """The Python name of a function of the program; "" where there is none."""
        f = next((f for f in self.program.functions if f.name == name), None)
        if f is None:
            return ""
        own = "f_" + re.sub(r"\W", "_", name)
        if name not in self.done:
            self.done[name] = ""
            writer = _Writer(self, f, set())
            params = ", ".join(writer.name(p.name) for p in f.params)
            self.done[name] = "\n".join(
                [f"def {own}({params}):", *writer.block(f.body, 1), " pass"]
            )
        elif not self.done[name]:
            raise Unfit("recursion")
        return own


@dataclass
class _Writer:
    """Writes one function; `given` are the entry's parameters."""

    whole: _Program
    function: Function
    given: set[str]
    names: dict[str, str] = field(default_factory=dict)
    inner: list[str] = field(default_factory=list)  # what `break` and `continue` leave: kinds

    def name(self, name: str) -> str:
        return self.names.setdefault(
            name, f"v{len(self.names)}_{re.sub(r'[^0-9a-zA-Z]', '_', name)}"
        )

    def first(self) -> list[str]:
        """The pointer parameters of the entry, and what lies in the structs that it is given."""
        pointers = [p for p in self.function.params if isinstance(p.type, Pointer)]
        own = [
            (p.name, self.whole.region(p.name)) for p in pointers if p.name in self.whole.regions
        ]
        own += [(p.name, self.struct(p.name)) for p in pointers if p.name in self.whole.objects]
        lines = [f"{self.name(n)} = {at}" for n, at in own]
        for p in self.whole.objects.values():
            for name, x in leaves(self.whole.program, p, p.name):
                if name in self.whole.inputs or name in self.whole.regions:
                    value = self.name(name)
                    if name in self.whole.regions:
                        value = self.whole.region(name)
                    at = f"{self.struct(p.name)} + {place(x, self.whole.program)}"
                    lines.append(f"M[{at}] = {value}")
        return lines

    def struct(self, name: str) -> str:
        """The address of a struct that the entry is given."""
        return self.whole.region(OBJECT + name)

    # -- statements ---------------------------------------------------------------------------

    def block(self, body: s.Body, depth: int) -> list[str]:
        lines = [line for st in body for line in self.statement(st, depth)]
        return lines or [" " * depth + "pass"]

    def statement(self, st: s.Stmt, depth: int) -> list[str]:
        pad = " " * depth
        match st:
            case s.Decl():
                return [pad + line for line in self.declaration(st)]
            case s.Assign():
                return [pad + line for line in self.assignment(st)]
            case s.Scope():
                return self.block(st.body, depth)
            case s.If():
                return self.branch(st, depth)
            case s.For():
                return self.counting(st, depth)
            case s.While():
                return self.loop(st, depth)
            case s.Return():
                return [pad + f"return {self.value(st.value) if st.value is not None else 'D'}"]
            case s.Break() | s.Continue():
                return [pad + line for line in self.jump(isinstance(st, s.Break))]
            case s.Eval():
                return [pad + self.value(st.call)]
            case s.Instr() if st.name.startswith("host."):
                return [pad + line for line in self.host(st)]
        raise Unfit(type(st).__name__)

    def declaration(self, st: s.Decl) -> list[str]:
        if isinstance(st.var.type, (Array, Fragment)):
            return [self.value(st.init)] if st.init is not None else []
        value = self.value(st.init) if st.init is not None else "D"
        return [f"{self.name(st.var.name)} = {value}"] if _is_exact(st.var.type) else [value]

    def assignment(self, st: s.Assign) -> list[str]:
        value = st.value
        if st.op:
            value = e.Binary(st.op, st.target, st.value, st.target.type)
        if isinstance(st.target, e.Var):
            exact = _is_exact(st.target.type)
            return [
                f"{self.name(st.target.name)} = {self.value(value)}" if exact else self.value(value)
            ]
        if self.part(st.target):
            raise Unfit("a parameter's field that changes")
        return [self.value(value), self.touch(st.target, "S")]

    def host(self, st: s.Instr) -> list[str]:
        op = st.name.partition(".")[2]
        if op == "alloc" and isinstance(st.outs[0], e.Var):
            return [
                f"{self.name(st.outs[0].name)} = {self.whole.region('local ' + st.outs[0].name)}"
            ]
        if op == "copy":
            a, b, n = (self.value(x) for x in st.ins[:3])
            return [f"S({a}, {n})", f"T({b}, {n})"]
        if op == "set":
            return [f"S({self.value(st.ins[0])}, {self.value(st.ins[2])})"]
        if op == "free":
            return []
        raise Unfit(st.name)

    def branch(self, st: s.If, depth: int) -> list[str]:
        """Both ways where it is not known which; what they assign is not known then."""
        pad, c = " " * depth, f"c{depth}"
        lines = [pad + f"{c} = {self.value(st.cond)}"]
        if _jumps(st.then) or _jumps(st.orelse):
            lines.append(pad + f"K({c})")
        for body, word in ((st.then, ""), (st.orelse, "not ")):
            if not body:
                continue
            lines.append(pad + f"if {c} is D or {word}{c}:")
            lines += self.block(body, depth + 1)
            if lost := [self.name(n) for n in _assigned(body)]:
                lines += [f"{pad} if {c} is D:", f"{pad}  {' = '.join(lost)} = D"]
        return lines

    def counting(self, st: s.For, depth: int) -> list[str]:
        lo, hi, step = self.value(st.lo), self.value(st.hi), self.value(st.step)
        var = self.name(st.var.name)
        turns = "ENDS" if only_ends_matter(st) else "TURNS"
        self.inner.append("loop")
        body = self.block(st.body, depth + 1)
        self.inner.pop()
        return [
            " " * depth + f"for {var} in {turns}({lo}, {hi}, {step}):",
            *body,
        ]

    def loop(self, st: s.While, depth: int) -> list[str]:
        """`continue` leaves an inner loop of one turn, so that the step follows."""
        pad = " " * depth
        simple = not _jumps(st.body) or not (st.step or st.do)
        leave = [f"{pad} if not ({self.value(st.cond)}): break"]
        begin = [f"{pad}while True:", f"{pad} ONE()", *(() if st.do else leave)]
        self.inner.append("loop" if simple else "wrapped")
        if simple:
            body = self.block(st.body, depth + 1)
        else:
            body = [f"{pad} out = True", f"{pad} while True:", *self.block(st.body, depth + 2),
                    f"{pad}  out = False", f"{pad}  break", f"{pad} if out: break"]  # fmt: skip
        self.inner.pop()
        return [*begin, *body, *self.block(st.step, depth + 1), *(leave if st.do else ())]

    def jump(self, away: bool) -> list[str]:
        if not self.inner:
            raise Unfit("a jump out of a switch")
        if self.inner[-1] == "loop":
            return ["break" if away else "continue"]
        return [f"out = {away}", "break"]

    # -- expressions --------------------------------------------------------------------------

    def value(self, x: e.Expr) -> str:
        """Python for an integer or an address; of everything else what it touches."""
        if not _is_exact(x.type):
            return self.effects(x)
        match x:
            case e.Const():
                return str(int(x.value))
            case e.Var():
                return self.variable(x)
            case e.Cast():
                return self.cast(x)
            case e.Unary():
                return self.unary(x)
            case e.Binary():
                return self.binary(x)
            case e.Select():
                a, b = self.value(x.a), self.value(x.b)
                lazy = f"C({self.value(x.cond)}, lambda: {a}, lambda: {b})"
                return lazy
            case e.Index() | e.Field():
                known = self.part(x)
                return known or self.touch(x)
            case e.AddressOf():
                return self.address(x.x)
            case e.Call():
                return self.call(x)
        return "D"

    def variable(self, x: e.Var) -> str:
        if isinstance(x.type, Array):
            return self.address(x)
        if x.name in self.given and not isinstance(x.type, Pointer):
            return self.name(x.name)
        known = x.name in self.names or x.name in {p.name for p in self.function.params}
        return self.name(x.name) if known else "D"

    def effects(self, x: e.Expr) -> str:
        """What evaluating `x` touches; its value is not known."""
        if isinstance(x, (e.Index, e.Field)):
            return self.touch(x)
        if isinstance(x, e.Call):
            return self.call(x)
        if isinstance(x, e.Select):
            a, b = self.effects(x.a), self.effects(x.b)
            if a == b == "D":
                return self.value(x.cond)
            return f"C({self.value(x.cond)}, lambda: {a}, lambda: {b})"
        parts = {e.Unary: ("x",), e.Cast: ("x",), e.Bits: ("x",), e.Binary: ("a", "b")}
        inner = [getattr(x, n) for n in parts.get(type(x), ())]
        inner += x.items if isinstance(x, e.Aggregate) else ()
        found = [t for t in map(self.value, inner) if t != "D"]
        return f"E({', '.join(found)})" if found else "D"

    def cast(self, x: e.Cast) -> str:
        inner, t, of = self.value(x.x), x.type, x.x.type
        if not _is_exact(of):
            return f"E({inner})" if inner != "D" else "D"
        if isinstance(t, Scalar) and isinstance(of, Scalar):
            if _unsigned(t) and (of.is_signed or of.bits > t.bits):
                return f"({inner} & {(1 << t.bits) - 1})"
            if t.is_signed and _unsigned(of) and t.bits <= of.bits:
                return f"W({inner}, {t.bits})"
        return inner

    def unary(self, x: e.Unary) -> str:
        if x.op == "!":
            return f"N({self.value(x.x)})"
        return self.wrapped(f"({x.op}{self.value(x.x)})", x.type)

    def binary(self, x: e.Binary) -> str:
        a, b = self.value(x.a), self.value(x.b)
        if x.op in ("&&", "||"):
            return f"{'A' if x.op == '&&' else 'O'}({a}, lambda: {b})"
        if not (_is_exact(x.a.type) and _is_exact(x.b.type)):
            return f"E({a}, {b})"
        if isinstance(x.type, (Pointer, Array)):
            return self.moved(x, a, b)
        if isinstance(x.a.type, (Pointer, Array)) and x.op == "-":
            return f"(({a} - {b}) // {self.size(x.a.type.elem)})"
        if x.op in ("/", "%"):
            return f"{'Q' if x.op == '/' else 'R'}({a}, {b})"
        return self.wrapped(f"({a} {x.op} {b})", x.type)

    def moved(self, x: e.Binary, a: str, b: str) -> str:
        if not isinstance(x.a.type, (Pointer, Array)):
            return f"({b} + {self.distance(x.a)} * {self.size(_elem(x.b.type))})"
        return f"({a} {x.op} {self.distance(x.b)} * {self.size(_elem(x.a.type))})"

    def wrapped(self, text: str, t: object) -> str:
        if isinstance(t, Scalar) and _unsigned(t) and t.bits > 1:
            return f"({text} & {(1 << t.bits) - 1})"
        return text

    def distance(self, x: e.Expr) -> str:
        """A subscript; 64-bit addresses wrap around."""
        far = isinstance(x.type, Scalar) and _unsigned(x.type) and x.type.bits == 64
        return f"W({self.value(x)}, 64)" if far else self.value(x)

    def size(self, t: Any) -> int:
        return size_of(t, self.whole.program)

    def call(self, x: e.Call) -> str:
        args = [self.value(a) for a in x.args]
        if own := self.whole.function(x.func):
            return f"{own}({', '.join(args)})"
        if x.func in ("min", "max", "abs") and all(_is_exact(a.type) for a in x.args):
            return f"X{x.func}({', '.join(args)})"
        found = [a for a in args if a != "D"]
        return f"E({', '.join(found)})" if found else "D"

    # -- places -------------------------------------------------------------------------------

    def touch(self, x: e.Expr, how: str = "T") -> str:
        """The access of a place; what is there is not known."""
        if isinstance(x.type, Array):
            return self.address(x)
        if not _behind_pointer(x):
            found = [t for i in _subscripts(x) if (t := self.value(i)) != "D"]
            return f"E({', '.join(found)})" if found else "D"
        if how == "T" and self.whole.objects and _is_exact(x.type):
            how = "L"
        return f"{how}({self.address(x)}, {self.size(x.type)})"

    def part(self, x: e.Expr) -> str:
        """A number or pointer in a struct that the entry is given."""
        path = _path(x)
        if path is None or path.split(".")[0] not in self.given:
            return ""
        if path in self.whole.inputs:
            return self.name(path)
        return self.whole.region(path) if path in self.whole.regions else ""

    def address(self, x: e.Expr) -> str:
        match x:
            case e.Index() if isinstance(x.base.type, Pointer):
                base = self.value(x.base)
            case e.Index():
                base = self.address(x.base)
            case e.Field():
                offset = field_offset(x.base.type, x.name, self.whole.program)
                return f"({self.address(x.base)} + {offset})"
            case e.Var():
                if isinstance(x.type, Scalar) and not x.type.is_float:
                    raise Unfit("a number whose address is taken")
                if x.name in self.given and x.name in self.whole.objects:
                    return self.struct(x.name)
                return self.whole.region("local " + self.function.name + x.name)
            case _:
                return self.value(x)
        return f"({base} + {self.distance(x.index)} * {self.size(x.type)})"


def _path(x: e.Expr) -> str | None:
    """`p.range.first` and the like; what a pointer to a struct points to counts as the struct."""
    if isinstance(x, e.Var):
        return x.name
    if isinstance(x, e.Field):
        inner = _path(x.base)
        return f"{inner}.{x.name}" if inner is not None else None
    if isinstance(x, e.Index) and isinstance(x.index, e.Const):
        inner = _path(x.base)
        if isinstance(x.base.type, Pointer):
            return inner if x.index.value == 0 and isinstance(x.type, Struct) else None
        return f"{inner}[{x.index.value}]" if inner is not None else None
    return None


def _behind_pointer(x: e.Expr) -> bool:
    """Whether a place lies in memory that a pointer leads to; else it is part of a local."""
    if isinstance(x, e.Index):
        return isinstance(x.base.type, Pointer) or _behind_pointer(x.base)
    return not isinstance(x, e.Var) and (not isinstance(x, e.Field) or _behind_pointer(x.base))


def _subscripts(x: e.Expr) -> list[e.Expr]:
    if isinstance(x, e.Index):
        return [*_subscripts(x.base), x.index]
    return _subscripts(x.base) if isinstance(x, e.Field) else []


def _is_exact(t: object) -> bool:
    """Whether values of the type are followed: integers and addresses."""
    if isinstance(t, Scalar):
        return not t.is_float
    return isinstance(t, (Pointer, Array))


def _unsigned(t: Scalar) -> bool:
    return not t.is_signed and not t.is_float and t.bits > 1


def _elem(t: object) -> object:
    assert isinstance(t, (Pointer, Array))
    return t.elem


def _jumps(body: s.Body) -> bool:
    """Whether control may leave `body` other than at its end."""
    return any(isinstance(n, (s.Break, s.Continue, s.Return)) for st in body for n in walk(st))


def _assigned(body: s.Body) -> list[str]:
    found = [n.target for st in body for n in walk(st) if isinstance(n, s.Assign)]
    return sorted({x.name for x in found if isinstance(x, e.Var) and _is_exact(x.type)})
