"""Statements as lines of C."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatchmethod

from xpiler.backend import types, usage
from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.folding import foldable, occurrences
from xpiler.backend.heap import Heap
from xpiler.backend.instructions import lines_of
from xpiler.backend.launches import launch_lines
from xpiler.backend.layout import comment_lines, wrap
from xpiler.backend.names import free_name
from xpiler.backend.pieces import POSTFIX, UNARY, Piece
from xpiler.backend.spelling import words_of
from xpiler.backend.tidy import is_count, is_for
from xpiler.backend.unit import cannot_print
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk
from xpiler.ir.types import BF16, Array, Pointer, Scalar, Type, Vector

FEW = 1024  # iterations without an inner loop


class StatementPrinter:
    """Prints the body of one function."""

    def __init__(self, function: Function, expressions: ExpressionPrinter) -> None:
        self.function, self.x = function, expressions
        self.spelling = expressions.spelling
        self.heap = Heap()
        self.counts = occurrences(function.body)
        self.labels: list[str] = []  # of the open loops: where their step begins, "" for C's own
        self.used: set[str] = set()

    def lines(self, body: s.Body, depth: int = 1) -> list[str]:
        """The finished lines of a body."""
        out: list[str] = []
        for line in self.body(body):
            margin = " " * (self.spelling.indent * depth)
            out += wrap((margin + line) if line else "", self.spelling.line_width)
        return out

    def body(self, body: s.Body, loop: bool = False) -> list[str]:
        """The lines of a scope, indented from 0; arrays on the heap are freed at its end."""
        self.heap.enter(loop)
        out: list[str] = []
        rest = 0
        for k, st in enumerate(body):
            if k < rest:
                continue
            if folded := self._folded(body, k):
                out += folded
                rest = k + 3
                continue
            above = comment_lines(st.comments)
            out += ["", *above] if above and out else above
            lines = self.statement(st)
            joined = k > 0 and not above and self._joined(body[k - 1], lines, out)
            out += [] if joined else lines
        ended = bool(body) and isinstance(body[-1], (s.Return, s.Break, s.Continue))
        return out + self.heap.leave(ended)

    def _folded(self, body: s.Body, k: int) -> list[str] | None:
        """`v += __shfl_down_sync(...)` for three statements: a result used once, at once."""
        made = foldable(body, k, self.counts)
        if made is None:
            return None
        place = made.outs[0]
        assert isinstance(place, e.Var)
        start = f"{self.x.names[place.name]} = "
        lines = lines_of(made, self.x, self.function.role)
        if len(lines) != 1 or not lines[0].startswith(start):
            return None
        call = lines[0][len(start) :].removesuffix(";")
        self.x.inlined[place.name] = Piece(call, POSTFIX, place.type, place.type)
        text = self.statement(body[k + 2])
        del self.x.inlined[place.name]
        if "\n".join(text).count(call) != 1:
            return None
        return [*comment_lines(tuple(c for st in body[k : k + 3] for c in st.comments)), *text]

    def _joined(self, before: s.Stmt, lines: list[str], out: list[str]) -> bool:
        """Makes `T x;` `x = call();` one declaration with its initial value."""
        if not isinstance(before, s.Decl) or before.init is not None or not lines:
            return False
        name = self.x.names[before.var.name]
        start = f"{name} = "
        once = lines[0].startswith(start) and name not in words_of(lines[0][len(start) :])
        if not once or out[-1] != f"{self._head(before)};":
            return False
        out[-1:] = [f"{self._head(before)} = {lines[0][len(start) :]}", *lines[1:]]
        return True

    def block(self, head: str, body: s.Body, tail: str = "}", loop: bool = False) -> list[str]:
        """`head {`, the indented body, `tail`."""
        if loop:
            self.labels.append("")
        inside = self._indented(self.body(body, loop))
        if loop:
            self.labels.pop()
        return [f"{head} {{", *inside, tail]

    def _indented(self, lines: list[str]) -> list[str]:
        pad = " " * self.spelling.indent
        return [pad + line if line else line for line in lines]

    @singledispatchmethod
    def statement(self, st: s.Stmt) -> list[str]:
        """The lines of a statement; raises XpilerError for what sequential text cannot say."""
        raise cannot_print(
            type(st).__name__, "only sequential programs are written in this language"
        )

    # Declarations and assignments -------------------------------------------------------

    @statement.register
    def _(self, st: s.Decl) -> list[str]:
        name, t = self.x.names[st.var.name], st.var.type
        if self.heap.wants(st) and self.function.role == "host" and st.space == "local":
            return self._on_heap(name, t)
        return [f"{self._head(st)}{self._initial(st.init, t)};"]

    def _head(self, st: s.Decl) -> str:
        unsized = isinstance(st.var.type, Array) and st.var.type.size is None
        if unsized and not st.dynamic:
            raise cannot_print(f"the array {st.var.name}", "its size is not known")
        space = self._space(st)
        if st.align and not st.dynamic:
            space += f"{self.spelling.syntax.align.format(st.align)} "
        return space + declared(
            self.x.accessed(st.var.type), self.x.names[st.var.name], st.const, self.x
        )

    def _space(self, st: s.Decl) -> str:
        """The words that place a variable in its memory."""
        key = f"{st.space}.dynamic" if st.dynamic else st.space
        if self.spelling.syntax.sequential:
            return ""
        if st.space == "local" and not self.spelling.spaces.get(key):
            return ""
        if key not in self.spelling.spaces:
            raise cannot_print(f"{st.var.name} in {st.space} memory", "the platform has no such")
        align = self.spelling.syntax.align.format(st.align or 16)
        return self.spelling.spaces[key].replace("{align}", align) + " "

    def _initial(self, init: e.Expr | None, t: Type) -> str:
        if init is None:
            return ""
        if isinstance(init, e.Aggregate) and not self._made(t):
            return f" = {self.x.braces(init)}"
        return f" = {self.x.assigned(init, t)}"

    def _made(self, t: Type) -> bool:
        """Whether a value of type `t` is made by a function, not by braces."""
        return isinstance(t, Vector) and t not in self.spelling.native

    def _on_heap(self, name: str, t: Type) -> list[str]:
        assert isinstance(t, Array)
        if t.size is None:
            raise cannot_print(f"the array {name}", "its size is not known")
        self.heap.add(name)
        pointer = declared(Pointer(t.elem), name, False, self.x)
        if self.spelling.syntax.cpp:
            made = self.x.type(Pointer(t.elem))
            return [f"{pointer} = ({made})malloc({t.size} * sizeof(*{name}));"]
        return [f"{pointer} = malloc({t.size} * sizeof *{name});"]

    @statement.register
    def _(self, st: s.Assign) -> list[str]:
        return [f"{self.assignment(st)};"]

    def assignment(self, st: s.Assign) -> str:
        """An assignment without its semicolon."""
        target, t = self.x.piece(st.target).text, st.target.type
        if is_count(st) and (isinstance(t, Pointer) or (isinstance(t, Scalar) and t.is_integer)):
            return f"{target}{st.op}{st.op}"
        if not st.op:
            return f"{target} = {self.x.assigned(st.value, t)}"
        if isinstance(t, Pointer):
            return f"{target} {st.op}= {self.x.offset(st.value).text}"
        if t == BF16 or isinstance(t, Vector):
            whole = e.Binary(st.op, st.target, st.value, t)
            return f"{target} = {self.x.assigned(whole, t)}"
        return f"{target} {st.op}= {self.x.compound(st.op, st.value, t)}"

    # Loops ------------------------------------------------------------------------------

    @statement.register
    def _(self, st: s.For) -> list[str]:
        above = self._pragma(st) or self._unroll(st)
        return above + self.block(self._for_head(st), st.body, loop=True)

    def _unroll(self, st: s.For | s.While) -> list[str]:
        """The user's request to unroll a loop."""
        words = self.spelling.syntax
        if not st.unroll or not words.unroll:
            return []
        by = words.unroll_by.replace("{n}", str(st.unroll))
        return [words.unroll if st.unroll < 0 else by]

    def _for_head(self, st: s.For) -> str:
        name, t = self.x.names[st.var.name], st.var.type
        test = self.x.piece(e.compare("<", st.var, st.hi)).text
        one = isinstance(st.step, e.Const) and st.step.value == 1 and st.step.text in (None, "1")
        step = f"{name}++" if one else f"{name} += {self.x.compound('+', st.step, t)}"
        head = declared(t, name, False, self.x)
        return f"for ({head} = {self.x.assigned(st.lo, t)}; {test}; {step})"

    def _pragma(self, st: s.For) -> list[str]:
        """The platform's directive above an independent loop that is in no other loop.

        Inside one, starting threads again and again would cost more than it gives.
        """
        inside = bool(self.labels) or self.function.role == "device"
        if st.kind == "vectorised":
            return self._lanes(st, inside)
        if (
            st.kind != "parallel"
            or not self.spelling.parallel
            or inside
            or _is_short(st)
            or not usage.shareable(st)
        ):
            return []
        depth, names, inner = 1, {st.var.name}, st.body
        while len(inner) == 1 and isinstance(nest := inner[0], s.For) and not nest.comments:
            used = {n for x in (nest.lo, nest.hi, nest.step) for n in usage.names_in(x)}
            if nest.kind != "parallel" or used & names:
                break
            depth, names, inner = depth + 1, names | {nest.var.name}, nest.body
        words = self.spelling.parallel
        return [words["nest"].replace("{depth}", str(depth)) if depth > 1 else words["loop"]]

    def _lanes(self, st: s.For, inside: bool) -> list[str]:
        """The platform's directive above a loop whose iterations may run in lanes."""
        words = self.spelling.parallel
        if "lanes" not in words:
            return []
        kinds = sorted({op for op, v in st.reductions if v.name in self.x.names})
        if kinds:
            return [words["lanes"] + "".join(self._reduction(st, op) for op in kinds)]
        alone = inside or _is_short(st) or not usage.shareable(st)
        return [words["lanes" if alone else "both"]]

    def _reduction(self, st: s.For, op: str) -> str:
        known = self.x.names  # a sum that nobody asks for is not written
        sums = sorted(known[v.name] for kind, v in st.reductions if kind == op and v.name in known)
        names = ", ".join(sums)
        return self.spelling.parallel["sums"].replace("{op}", op).replace("{names}", names)

    @statement.register
    def _(self, st: s.While) -> list[str]:
        cond = self.x.condition(st.cond).text
        simple = all(isinstance(x, (s.Assign, s.Eval)) for x in st.step)
        if st.step and simple and not st.do:
            return self._unroll(st) + self.block(self._stepped("", st), st.body, loop=True)
        self.labels.append("")
        inside = self._indented(self._with_step(st))
        self.labels.pop()
        if st.do:
            return ["do {", *inside, f"}} while ({cond});"]
        return [f"while ({cond}) {{", *inside, "}"]

    def _with_step(self, st: s.While) -> list[str]:
        """The body and, where `continue` leads, the step."""
        if not st.step:
            return self.body(st.body, loop=True)
        label = free_name("next", self.spelling.keywords, {*self.x.names.values(), *self.used})
        self.labels[-1] = label
        lines = self.body(st.body, loop=True)
        self.labels[-1] = ""
        if label in self.used:
            if self.spelling.syntax.cpp:  # no jump may pass a variable's initial value
                lines = ["{", *self._indented(lines), "}"]
            lines.append(f"{label}:;")
        return lines + self.body(st.step)

    def _stepped(self, init: str, st: s.While) -> str:
        """C's three-part `for`."""
        steps = [
            self.assignment(x) if isinstance(x, s.Assign) else self.x.piece(x.call).text
            for x in st.step
            if isinstance(x, (s.Assign, s.Eval))
        ]
        always = isinstance(st.cond, e.Const) and bool(st.cond.value)
        cond = "" if always else f" {self.x.condition(st.cond).text}"
        return f"for ({init};{cond}; {', '.join(steps)})"

    @statement.register
    def _(self, st: s.Scope) -> list[str]:
        if is_for(st):
            loop = st.body[-1]
            assert isinstance(loop, s.While)
            head = self._for_init([d for d in st.body if isinstance(d, s.Decl)])
            above = comment_lines(loop.comments) + self._unroll(loop)
            return above + self.block(self._stepped(head, loop), loop.body, loop=True)
        return ["{", *self._indented(self.body(st.body)), "}"]

    def _for_init(self, decls: list[s.Decl]) -> str:
        """The first part of a C `for`."""
        first, *rest = decls
        more = [f", {self.x.names[d.var.name]}{self._initial(d.init, d.var.type)}" for d in rest]
        return f"{self._head(first)}{self._initial(first.init, first.var.type)}{''.join(more)}"

    # Branches and jumps -----------------------------------------------------------------

    @statement.register
    def _(self, st: s.If) -> list[str]:
        out = self.block(f"if ({self.x.condition(st.cond).text})", st.then)
        while st.orelse:
            nested = st.orelse[0]
            if len(st.orelse) == 1 and isinstance(nested, s.If) and not nested.comments:
                st = nested
                head = f"}} else if ({self.x.condition(st.cond).text})"
                out = out[:-1] + self.block(head, st.then)
            else:
                return out[:-1] + self.block("} else", st.orelse)
        return out

    @statement.register
    def _(self, st: s.Switch) -> list[str]:
        out = [f"switch ({self.x.exactly(st.value).text}) {{"]
        for case in st.cases:
            out += self._case(case)
        return [*out, "}"]

    def _case(self, case: s.Case) -> list[str]:
        labels = [f"case {v}:" for v in case.values] or ["default:"]
        frees = bool(self.heap.frees())
        scope = any(isinstance(x, s.Decl) or (isinstance(x, s.Return) and frees) for x in case.body)
        inner = self.body(case.body)
        if not case.body or not isinstance(case.body[-1], (s.Return, s.Break, s.Continue)):
            inner = [*inner, "break;"]
        labels[-1] += " {" if scope else ""
        return [*labels, *self._indented(inner), *(["}"] if scope else [])]

    @statement.register
    def _(self, st: s.Break) -> list[str]:
        return [*self.heap.frees_to_loop(), "break;"]

    @statement.register
    def _(self, st: s.Continue) -> list[str]:
        label = self.labels[-1] if self.labels else ""
        if label:
            self.used.add(label)
        return [*self.heap.frees_to_loop(), f"goto {label};" if label else "continue;"]

    @statement.register
    def _(self, st: s.Return) -> list[str]:
        frees = self.heap.frees()
        if st.value is None:
            return [*frees, "return;"]
        value = self.x.assigned(st.value, self.function.ret)
        if not frees or not usage.names_in(st.value):
            return [*frees, f"return {value};"]
        name = free_name("result", self.spelling.keywords, set(self.x.names.values()))
        result = declared(self.function.ret, name, False, self.x)
        return [f"{result} = {value};", *frees, f"return {name};"]

    @statement.register
    def _(self, st: s.Eval) -> list[str]:
        p = self.x.piece(st.call)
        known = {*self.x.unit.functions, *self.x.unit.program.externals}
        direct = isinstance(st.call, e.Call) and st.call.func in known
        return [f"{p.text};" if direct else f"(void){p.within(UNARY)};"]

    @statement.register
    def _(self, st: s.Instr) -> list[str]:
        return lines_of(st, self.x, self.function.role)

    @statement.register
    def _(self, st: s.Barrier) -> list[str]:
        return lines_of(s.Instr(f"barrier.{st.scope}"), self.x, self.function.role)

    @statement.register
    def _(self, st: s.Launch) -> list[str]:
        return launch_lines(st, self.x)

    @statement.register
    def _(self, st: s.LeftOut) -> list[str]:
        text = st.text.strip().replace("*/", "* /").replace("/*", "/ *").splitlines()
        if len(text) <= 1:
            return [f"/* {st.code}: not translated: {''.join(text)} */"]
        return [f"/* {st.code}: not translated:", *(f" *   {x.rstrip()}" for x in text), " */"]

    def unused_parameters(self, lines: list[str]) -> Iterator[str]:
        """`(void)x;` for every parameter whose value the printed body does not use."""
        if not self.spelling.syntax.unused:
            return
        read, printed = usage.reads(self.function.body), words_of("\n".join(lines))
        for p in self.function.params:
            if p.name not in read or self.x.names[p.name] not in printed:
                yield f"(void){self.x.names[p.name]};"


def _is_short(st: s.For) -> bool:
    """Whether a loop has so little to do that starting threads costs more."""
    few = isinstance(st.hi, e.Const) and st.hi.value <= FEW
    return few and not any(isinstance(n, (s.For, s.While, s.Eval)) for n in walk(st.body))


def declared(t: Type, name: str, const: bool, x: ExpressionPrinter) -> str:
    """A declaration without initialiser; `const` qualifies the variable itself."""
    x.type(t)
    if const and isinstance(t, Pointer):
        return types.declare(t, f"const {name}", x.spelling)
    if word := x.host_word(t):
        return f"{'const ' if const else ''}{word} {name}"
    return ("const " if const else "") + types.declare(t, name, x.spelling)
