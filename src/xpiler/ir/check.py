"""The executable well-formedness rule of the IR: `check(program)` lists what breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import instruction_doc, math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, walk
from xpiler.ir.text import show
from xpiler.ir.types import BOOL, Array, Fragment, Pointer, Scalar, Struct, Type, Vector

PARALLEL_ONLY = (s.Barrier, s.Launch)


@dataclass
class _Checker:
    program: Program
    function: Function
    sequential: bool
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        self.faults.append(f"{self.function.name}: {text}")

    def declare(self, var: e.Var) -> None:
        if var.name in self.names:
            self.fault(f"{var.name} is declared twice")
        self.names.add(var.name)

    def run(self) -> list[str]:
        self.names |= {g.var.name for g in self.program.globals}
        for p in self.function.params:
            self.declare(p)
        self.body(self.function.body, loop=False)
        return self.faults

    def body(self, body: s.Body, loop: bool) -> None:
        for st in body:
            self.statement(st, loop)

    def statement(self, st: s.Stmt, loop: bool) -> None:
        if self.sequential and isinstance(st, PARALLEL_ONLY):
            self.fault(f"{type(st).__name__} in a sequential program")
        if isinstance(st, s.Decl):
            self.decl(st)
        elif isinstance(st, s.Assign):
            self.assign(st)
        elif isinstance(st, s.For):
            self.counting_loop(st)
        elif isinstance(st, (s.Break, s.Continue)) and not loop:
            self.fault(f"{type(st).__name__} outside a loop")
        elif isinstance(st, s.Instr):
            self.instr(st)
        for child in _expressions(st):
            self.expression(child)
        for inner in _bodies(st):
            self.body(inner, loop or isinstance(st, (s.For, s.While, s.Switch)))

    def decl(self, st: s.Decl) -> None:
        if self.sequential and st.space == "shared":
            self.fault(f"shared {st.var.name} in a sequential program")
        self.declare(st.var)
        if st.init is not None and not isinstance(st.init, e.Aggregate):
            self.same(st.var.type, st.init.type, f"initial value of {st.var.name}")

    def assign(self, st: s.Assign) -> None:
        if not e.is_place(st.target):
            self.fault(f"assignment to {show(st.target)}, which is no place")
        if st.op not in ("<<", ">>") and not isinstance(st.target.type, Pointer):
            self.same(st.target.type, st.value.type, f"assignment to {show(st.target)}")

    def counting_loop(self, st: s.For) -> None:
        self.declare(st.var)
        self.same(st.var.type, st.hi.type, f"bound of {st.var.name}")
        for n in walk(st.body):
            if isinstance(n, s.Assign) and n.target == st.var:
                self.fault(f"the body assigns its loop variable {st.var.name}")

    def instr(self, st: s.Instr) -> None:
        if instruction_doc(st.name) is None:
            self.fault(f"unknown instruction {st.name}")
        for out in st.outs:
            if not e.is_place(out):
                self.fault(f"{st.name} writes {show(out)}, which is no place")

    def expression(self, root: e.Expr) -> None:
        for n in walk(root):
            if isinstance(n, e.Var) and n.name not in self.names:
                self.fault(f"{n.name} is used before its declaration")
            if isinstance(n, e.Axis) and self.sequential:
                self.fault(f"{show(n)} in a sequential program")
            if isinstance(n, e.Binary):
                self.binary(n)
            if isinstance(n, e.Call):
                self.call(n)

    def binary(self, n: e.Binary) -> None:
        if n.op in e.COMPARISONS or n.op in e.LOGICAL:
            self.same(BOOL, n.type, f"type of {show(n)}")
        if n.op in ("<<", ">>") or any(isinstance(x.type, (Pointer, Array)) for x in (n.a, n.b)):
            return
        self.same(n.a.type, n.b.type, f"operands of {show(n)}")

    def call(self, n: e.Call) -> None:
        known = n.func in math_functions() or n.func in self.program.externals
        known = known or any(f.name == n.func for f in self.program.functions)
        if not known:
            self.fault(f"call of unknown function {n.func}")

    def same(self, want: Type, got: Type, where: str) -> None:
        if not _compatible(want, got):
            self.fault(f"{where}: {want} wanted, {got} given")


def _compatible(want: Type, got: Type) -> bool:
    if isinstance(want, Pointer):
        return isinstance(got, (Pointer, Array, Scalar))
    kinds = (Scalar, Vector, Struct, Fragment)
    return want == got or not (isinstance(want, kinds) and isinstance(got, kinds))


def _expressions(st: s.Stmt) -> list[e.Expr]:
    if isinstance(st, s.For):
        return [st.lo, st.hi, st.step]
    return [
        c
        for c in children(st)
        if isinstance(c, e.Expr) and not (isinstance(st, s.Decl) and c is st.var)
    ]


def _bodies(st: s.Stmt) -> list[s.Body]:
    if isinstance(st, s.If):
        return [st.then, st.orelse]
    if isinstance(st, s.While):
        return [st.body, st.step]
    if isinstance(st, s.Switch):
        return [c.body for c in st.cases]
    return [st.body] if isinstance(st, (s.For, s.Scope)) else []


def check(program: Program, sequential: bool = False) -> list[str]:
    """What is wrong with `program`, one sentence each; empty when well formed.

    `sequential` asks further that nothing parallel is left: the form that raising gives.
    """
    return [fault for f in program.functions for fault in _Checker(program, f, sequential).run()]
