"""A translation unit being read: its functions, structs, globals, names and remarks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.diagnostics.model import Severity
from xpiler.frontend.convert import const, zero
from xpiler.frontend.cursor import Node
from xpiler.frontend.faults import NotUnderstood, understood
from xpiler.frontend.source import Comment, Source
from xpiler.frontend.types import TypeReader, is_reference
from xpiler.frontend.words import Words
from xpiler.ir.expr import Aggregate, Const, Expr, Var
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Global, Macro, Program, Role, StructDef
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, variables, walk
from xpiler.ir.stmt import Assign, Barrier, Eval, Instr, Launch, LeftOut
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type, Vector

_CONTAINERS = ("NAMESPACE", "LINKAGE_SPEC", "UNEXPOSED_DECL")
_FUNCTIONS = ("FUNCTION_DECL", "CXX_METHOD", "CONSTRUCTOR", "CONVERSION_FUNCTION", "DESTRUCTOR")
_UNSET = object()


@dataclass
class FunctionEntry:
    """A function that was met: `done` is None while it is being read."""

    name: str
    node: Node
    order: int
    done: Function | None = None
    failed: bool = False

    @property
    def effectful(self) -> bool:
        """Whether a call does more than give a value (unknown while being read: yes)."""
        if self.done is None:
            return True
        kinds = (Barrier, Instr, Eval, Launch, LeftOut)
        own = {p.name for p in self.done.params}
        own |= {n.var.name for n in walk(self.done.body) if hasattr(n, "var")}
        return any(
            isinstance(n, kinds) or (isinstance(n, Assign) and _leaves(n.target, own))
            for n in walk(self.done.body)
        )

    @property
    def empty(self) -> bool:
        return self.done is not None and not self.done.body


def _leaves(target: Expr, own: set[str]) -> bool:
    """Whether a store to `target` can be seen outside (anything that is no plain local)."""
    while not isinstance(target, Var):
        base = getattr(target, "base", None)
        if base is None or isinstance(base.type, Pointer):
            return True
        target = base
    return target.name not in own


@dataclass
class Unit:
    """What is known of the whole text while its functions are read."""

    words: Words
    source: Source
    wave: int
    diagnostics: list[Diagnostic] = field(default_factory=list)
    functions: dict[str, FunctionEntry] = field(default_factory=dict)
    structs: dict[str, StructDef | None] = field(default_factory=dict)
    unions: dict[str, Type] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    used_macros: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    error_lines: dict[str, set[int]] = field(default_factory=dict)
    given_up: bool = False
    usage: dict[tuple[int, int, str], Any] = field(default_factory=dict)
    templates: list[Node] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    stubs: dict[str, Node] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)
    types: TypeReader = field(init=False)
    _struct_of: dict[str, str] = field(default_factory=dict)
    _order: int = 0

    def __post_init__(self) -> None:
        self.types = TypeReader(self.words, self)
        self.taken |= set(self.source.macros.values)

    # -- remarks ---------------------------------------------------------------

    def report(
        self, fault: NotUnderstood, loc: SourceLoc | None, severity: Severity = "error"
    ) -> None:
        line = self.source.line_text(loc.line) if loc and loc.file == self.source.shown else ""
        remark = Diagnostic(
            fault.code, fault.message, severity, loc, line, fault.reason, fault.help
        )
        if remark not in self.diagnostics:
            self.diagnostics.append(remark)

    def loc(self, node: Node) -> SourceLoc:
        f = node.file
        shown = self.source.shown if f == self.source.path or not f else f
        return SourceLoc(shown, node.line, node.column)

    # -- records ---------------------------------------------------------------

    def record(self, decl: Any, spelling: str) -> Type:
        """The type of a struct; registers its fields the first time."""
        if spelling in self.unions:
            return self.unions[spelling]
        if spelling not in self._struct_of:
            lanes = self._lanes(decl)
            if lanes is not None:
                self.unions[spelling] = lanes
                return lanes
            if decl.kind.name == "UNION_DECL":
                return self._union(decl, spelling)
            name = fresh_identifier(spelling, set(self.structs))
            self._struct_of[spelling] = name
            self.structs[name] = None
            if decl.location.is_in_system_header or "lambda at" in spelling:
                self.foreign.add(name)
            if decl.type.get_size() < 0:
                self.incomplete.add(name)
            _refuse_odd_records(decl, spelling)
            own = enumerate(_fields(decl.type))
            fields = tuple((field_name(f, i), self.types(f.type)) for i, f in own)
            for base in (k for k in decl.get_children() if k.kind.name == "CXX_BASE_SPECIFIER"):
                fields = (*self.fields(self.types(base.type)), *fields)
            del self.structs[name]  # behind the structs that it holds
            self.structs[name] = StructDef(
                name, fields, _wanted_align(decl), self._record_comments(decl)
            )
        return Struct(self._struct_of[spelling])

    def _record_comments(self, decl: Any) -> tuple[str, ...]:
        """The comments above and inside a struct of the user's text."""
        if decl.location.file is None or str(decl.location.file.name) != self.source.path:
            return ()
        start, end = int(decl.extent.start.offset), int(decl.extent.end.offset)
        return (*self.comments_before(start), *self.comments_within(start, end))

    def _union(self, decl: Any, spelling: str) -> Type:
        members = [(f.type.get_size(), self.types(f.type)) for f in _fields(decl.type)]
        if not members:
            raise NotUnderstood("XP0202", f"union {spelling} has no members")
        self.unions[spelling] = max(members, key=lambda m: (m[0], isinstance(m[1], Array)))[1]
        return self.unions[spelling]

    def is_vector(self, t: Any) -> bool:
        """Whether a canonical type is a short vector, or a record that is one."""
        if t.kind.name == "RECORD":
            return self._lanes(t.get_declaration()) is not None
        return t.kind.name in ("VECTOR", "EXTVECTOR")

    def _lanes(self, decl: Any) -> Vector | None:
        """What a plain record is that has the lanes x, y, z, w of a short vector, in one place.

        Beside them a union may have an array of as many: `union { struct { T x, y; }; T s[2]; }`.
        """
        fields = list(_fields(decl.type))
        if not {k.kind.name for k in decl.get_children()} <= _PLAIN:
            return None
        if decl.kind.name == "UNION_DECL":
            rows = [f for f in fields if f.type.get_canonical().kind.name == "CONSTANTARRAY"]
            named = [f for f in fields if f.type.get_canonical().kind.name == "RECORD"]
            if len(rows) != 1 or len(named) != 1 or len(fields) != 2:
                return None
            row, fields = rows[0].type.get_canonical(), list(_fields(named[0].type.get_canonical()))
            if row.element_count != len(fields):
                return None
            fields.append(rows[0])
        kinds = {_element(f.type.get_canonical()).spelling for f in fields}
        names = "".join(str(f.spelling) for f in fields)
        size, align = int(decl.type.get_size()), int(decl.type.get_align())
        lanes = sum(f.type.get_canonical().kind.name != "CONSTANTARRAY" for f in fields)
        if len(kinds) != 1 or not names.startswith("xyzw"[:lanes]) or lanes not in (2, 4):
            return None
        elem = self.types(_element(fields[0].type.get_canonical()))
        whole = isinstance(elem, Scalar) and size == align == lanes * elem.bits // 8
        return Vector(elem, lanes) if whole and isinstance(elem, Scalar) else None

    def default_member(self, name: str, record: Any) -> Node | None:
        """The default initialiser of a member, as written in the struct."""
        for f in _fields(record):
            if str(f.spelling) == name:
                values = [k for k in Node(f).kids if k.kind not in _NO_VALUE]
                array = f.type.get_canonical().kind.name == "CONSTANTARRAY"
                if not values or f.is_bitfield() or (array and values[-1].kind != "INIT_LIST_EXPR"):
                    return None
                return values[-1]
        return None

    def fields(self, t: Type) -> tuple[tuple[str, Type], ...]:
        """The fields of a struct type."""
        found = self.structs.get(t.name) if isinstance(t, Struct) else None
        return found.fields if found else ()

    def is_void(self, t: Type) -> bool:
        """Whether values of `t` hold nothing (a struct without fields)."""
        return isinstance(t, Struct) and not self.fields(t) and t.name not in self.incomplete

    # -- names and constants -----------------------------------------------------

    def named_constant(self, name: str, value: int | float, t: Type, text: str) -> Const:
        """A constant that keeps `name`, when no other constant of that name differs.

        A name in lower case is not kept: as a macro it could hide a variable's.
        """
        plain = name == name.lower() or name in self.source.macros.values
        if plain or self.constants.setdefault(name, text) != text:
            return const(value, t)
        return const(value, t, name)

    def global_var(self, node: Node) -> Expr:
        """The variable (or constant) at file scope that `node` declares."""
        usr = str(node.c.get_usr()) or f"{node.line}:{node.name}"
        if usr not in self.globals:
            self._read_global(node, usr)
        return self.globals[usr].var

    def _read_global(self, node: Node, usr: str) -> None:
        t = self.types(node.type)
        init = self._global_init(node, t)
        space = global_space(node)
        static = node.c.storage_class.name == "STATIC"
        name = fresh_name(node.name, self.taken)
        const_q = node.type.is_const_qualified() or space == "constant"
        comments = self.comments_before(node.start) if node.file == self.source.path else ()
        self.globals[usr] = Global(Var(name, t), init, space, const_q, static, comments)  # type: ignore[arg-type]

    def _global_init(self, node: Node, t: Type) -> Expr | None:
        init = node.init
        return None if init is None else self.constant(init, t)

    def constant(self, node: Node, t: Type) -> Expr | None:
        """The value of a constant initialiser; raises NotUnderstood for what is none."""
        inner = node.stripped()
        if inner.kind == "INIT_LIST_EXPR" and isinstance(t, (Scalar, Pointer)):
            return self.constant(inner.kids[0], t) if inner.kids else zero(t)
        if inner.kind == "INIT_LIST_EXPR" or (
            inner.kind == "CALL_EXPR" and not isinstance(t, Scalar)
        ):
            return self._constant_list(inner, t)
        value = node.evaluate()
        if value is not None and isinstance(t, (Scalar, Pointer)):
            return const(value, t)
        raise NotUnderstood("XP0207", f"initial value of type {t} is no constant")

    def _constant_list(self, node: Node, t: Type) -> Expr | None:
        if node.kind == "CALL_EXPR" and not node.args:
            return None
        types = [ft for _, ft in self.fields(t)]
        elem = getattr(t, "elem", None)
        items = [
            self.constant(k, types[i] if i < len(types) else elem or t)
            for i, k in enumerate(node.kids if node.kind == "INIT_LIST_EXPR" else node.args)
        ]
        if any(i is None for i in items):
            raise NotUnderstood("XP0207", "initial value is no constant")
        return Aggregate(tuple(i for i in items if i is not None), t)

    # -- functions -------------------------------------------------------------

    def entry(self, node: Node) -> FunctionEntry | None:
        """The function that `node` refers to, read when it has a body; None without one."""
        definition = node.c.get_definition()
        if definition is None:
            return None
        node = Node(definition)
        usr = str(node.c.get_usr()) or str(node.key)
        if usr not in self.functions:
            self._order += 1
            # A call of a neutral function (`max`) is by name, too: the user's gets another.
            name = fresh_identifier(
                readable_name(node, self.words.spellings), self.taken | math_functions().keys()
            )
            self.taken.add(name)
            found = FunctionEntry(name, node, self._order)
            self.functions[usr] = found
            self._read(found)
        return self.functions[usr]

    def _read(self, entry: FunctionEntry) -> None:
        from xpiler.frontend.functions import read_function

        try:
            entry.done = read_function(self, entry)
        except Exception as err:
            entry.failed = True
            self._leave_out(entry, understood(err))

    def _leave_out(self, entry: FunctionEntry, fault: NotUnderstood) -> None:
        """Says why a function is left out; of a host function's it is only a warning."""
        loc = getattr(fault, "loc", None) or self.loc(entry.node)
        if role_of(entry.node) != "host":
            self.report(fault, loc)
            return
        what = f"function {entry.node.name!r} is left out: {fault.message}"
        self.report(NotUnderstood("XP0205", what, fault.reason, fault.help), loc, "warning")
        self._read_launched(entry.node)

    def _read_launched(self, node: Node) -> None:
        """Reads the kernels that a left-out host function launches: it may instantiate them."""
        names = (k.ref for k in node.walk() if k.kind == "DECL_REF_EXPR")
        for ref in names:
            if ref is not None and ref.kind == "FUNCTION_DECL" and role_of(ref) == "kernel":
                self.entry(ref)

    def remark_templates(self) -> None:
        """Says which kernel templates of the text are never instantiated."""
        seen = {(f.node.line, f.node.column) for f in self.functions.values()}
        for n in self.templates:
            kernel = any(k.kind == "CUDAGLOBAL_ATTR" for k in n.kids)
            if kernel and (n.line, n.column) not in seen and n.file == self.source.path:
                fault = NotUnderstood(
                    "XP0206", f"template {n.name!r} is never instantiated",
                    "its parameters have no values in this text",
                    "give them in the sidecar file: [template], or with --template T=ARG",
                )  # fmt: skip
                self.report(fault, self.loc(n), "error")

    def excuse_host_errors(self) -> None:
        """Syntax errors inside host functions that are left out anyway become warnings."""
        spans = [
            (f.node.line, int(f.node.c.extent.end.line))
            for f in self.functions.values()
            if f.failed and role_of(f.node) == "host" and f.node.file == self.source.path
        ]
        for i, d in enumerate(self.diagnostics):
            inside = d.loc is not None and any(a <= d.loc.line <= b for a, b in spans)
            if d.code == "XP0110" and inside and d.loc and d.loc.file == self.source.shown:
                self.diagnostics[i] = replace(d, severity="warning")

    def stub_function(self, name: str) -> Node:
        """The function `name` of our own headers; raises NotUnderstood."""
        if name not in self.stubs:
            raise NotUnderstood("XP0203", f"the call of {name!r} is not understood")
        return self.stubs[name]

    def comments_before(self, offset: int) -> tuple[str, ...]:
        """The comments between the declaration before `offset` and that place."""
        behind = max((end for _, end in self.spans if end <= offset), default=-1)
        skip = len(self.head_comments())
        return tuple(
            c.text
            for c in [c for c in self.source.comments if c.own_line][skip:]
            if behind <= c.start and c.end <= offset
        )

    def head_comments(self) -> tuple[str, ...]:
        """The comments at the top of the file, when a blank line or a directive follows them."""
        found: list[Comment] = []
        first = self.spans[0][0] if self.spans else len(self.source.data)
        for c in self.source.comments:
            if not c.own_line or c.end > first or (found and c.line > found[-1].last + 1):
                break
            found.append(c)
        last = found[-1].last if found else 0
        adjacent = last + 1 == self.source.line_of(first)
        return () if adjacent else tuple(c.text for c in found)

    def comments_within(self, start: int, end: int) -> tuple[str, ...]:
        return tuple(c.text for c in self.source.comments if start <= c.start and c.end <= end)

    def program(self) -> Program:
        """Everything read so far, in source order."""
        done = [f for f in self.functions.values() if f.done is not None]
        done.sort(key=lambda f: (f.node.start, f.order))
        functions = tuple(f.done for f in done if f.done is not None)
        functions = self._without_clashes(functions)
        return Program(
            functions,
            tuple(self.globals.values()),
            self._structs(functions),
            self._macros(functions),
            self.source.shown,
            self.words.platform,
            self.wave,
            self.head_comments(),
        )

    def _structs(self, functions: tuple[Function, ...]) -> tuple[StructDef, ...]:
        """The user's structs, and of those that are not (closures, our headers') the used ones."""
        used: set[str] = set()
        for f in functions:
            types = [f.ret, *(p.type for p in f.params)]
            types += [n.type for n in walk(f.body) if isinstance(n, Expr)]
            used |= {name for t in types for name in _struct_names(t)}
        return tuple(
            s
            for s in self.structs.values()
            if s is not None and s.fields and (s.name in used or s.name not in self.foreign)
        )

    def _without_clashes(self, functions: tuple[Function, ...]) -> tuple[Function, ...]:
        """Constants lose a name that is also a variable's, a field's or a function's."""
        names = {f.name for f in functions} | {"x", "y", "z", "w"}
        names |= {n for s in self.structs.values() if s is not None for n, _ in s.fields}
        for f in functions:
            names |= {v.split(".")[0] for v in variables(f.body)} | {p.name for p in f.params}
        clashing = (names & set(self.constants)) - set(self.source.macros.values)
        if not clashing:
            return functions
        for name in clashing:
            del self.constants[name]

        def plain(e: Expr) -> Expr:
            return replace(e, text=None) if isinstance(e, Const) and e.text in clashing else e

        return tuple(f.with_body(rewrite_exprs(f.body, plain)) for f in functions)

    def _macros(self, functions: tuple[Function, ...]) -> tuple[Macro, ...]:
        used = {n.text for f in functions for n in walk(f.body) if isinstance(n, Const) and n.text}
        macros = [Macro(n, self.source.macros.texts[n]) for n in self.source.macros.needed(used)]
        return (*macros, *(Macro(n, t) for n, t in self.constants.items() if n in used))


_NO_VALUE = ("TYPE_REF", "NAMESPACE_REF", "TEMPLATE_REF", "ALIGNED_ATTR", "UNEXPOSED_ATTR")


def _struct_names(t: Type) -> Iterator[str]:
    while isinstance(t, (Pointer, Array)):
        t = t.elem
    if isinstance(t, Struct):
        yield t.name


def is_unnamed(field: Any) -> bool:
    """Whether a member has no name: an anonymous union or struct."""
    name = str(field.spelling)
    return not name or "(anonymous" in name or "(unnamed" in name


def field_name(field: Any, index: int) -> str:
    """The name of a member, also of one that has none in the text."""
    return f"unnamed{index}" if is_unnamed(field) else str(field.spelling)


def _refuse_odd_records(decl: Any, spelling: str) -> None:
    """Raises for records whose layout or calls plain structs cannot have."""
    if any(f.is_bitfield() for f in _fields(decl.type)):
        raise NotUnderstood("XP0202", f"type {spelling!r} is not understood", "it has bit fields")
    for k in decl.get_children():
        virtual = k.kind.name in ("CXX_METHOD", "DESTRUCTOR") and k.is_virtual_method()
        if virtual or k.kind.name == "PACKED_ATTR":
            why = "it has virtual members" if virtual else "it is packed"
            raise NotUnderstood("XP0202", f"type {spelling!r} is not understood", why)


def _wanted_align(decl: Any) -> int:
    """The alignment in bytes that was asked for, 0 for the natural one."""
    natural = max((int(f.type.get_align()) for f in _fields(decl.type)), default=1)
    wanted = int(decl.type.get_align())
    return wanted if wanted > natural else 0


def _fields(t: Any) -> Iterator[Any]:
    yield from t.get_fields()


_PLAIN = {"FIELD_DECL", "STRUCT_DECL", "ALIGNED_ATTR"}


def _element(t: Any) -> Any:
    """The type of what lies in an array; another type as it is."""
    return t.element_type if t.kind.name == "CONSTANTARRAY" else t


def named_space(node: Node) -> str | None:
    """The memory that an annotation names (`nram`, `wram`, `shared`, `local`), if any."""
    names = (k.name for k in node.kids if k.kind == "ANNOTATE_ATTR")
    return next((name for name in names if name in ("nram", "wram", "shared", "local")), None)


def global_space(node: Node) -> str:
    """Where a variable lives, by its attributes."""
    kinds = {k.kind for k in node.kids}
    named = named_space(node)
    if named is not None:
        return "nram" if named == "local" else named  # one per core, whichever memory it is
    if "CUDASHARED_ATTR" in kinds:
        return "shared"
    if "CUDACONSTANT_ATTR" in kinds:
        return "constant"
    return "global" if "CUDADEVICE_ATTR" in kinds else "local"


def role_of(node: Node) -> Role:
    """What a function is, by its attributes."""
    kinds = {k.kind for k in node.kids}
    if "CUDAGLOBAL_ATTR" in kinds:
        return "kernel"
    return "device" if "CUDADEVICE_ATTR" in kinds else "host"


def template_arguments(node: Node) -> list[str]:
    """The spellings of the template arguments of a function."""
    c = node.c
    out = []
    for i in range(max(0, c.get_num_template_arguments())):
        kind = c.get_template_argument_kind(i).name
        if kind == "TYPE":
            out.append(str(c.get_template_argument_type(i).spelling))
        elif kind == "INTEGRAL":
            bits = c.get_template_argument_unsigned_value(i)
            # the one bit of `true` is told as -1
            out.append("1" if bits == 1 else str(c.get_template_argument_value(i)))
    return out


def readable_name(node: Node, spellings: Mapping[str, str]) -> str:
    """A name for a function: its own, its class before it, its template arguments behind it."""
    parts = [spellings.get(a, a) for a in template_arguments(node)]
    name = _OPERATORS.get(node.name, node.name.split("<")[0])
    if node.kind != "FUNCTION_DECL":
        name = f"{fresh_identifier(str(node.c.semantic_parent.type.spelling), set())}_{name}"
    return "_".join([name, *(fresh_identifier(p, set()) for p in parts)])


_OPERATORS = {
    "operator()": "call", "operator[]": "at", "operator+": "plus", "operator-": "minus",
    "operator*": "times", "operator/": "over", "operator+=": "add", "operator-=": "subtract",
    "operator*=": "multiply", "operator=": "assign", "operator<": "less", "operator==": "equal",
    "operator>": "greater",
}  # fmt: skip


def fresh_identifier(text: str, taken: set[str]) -> str:
    """`text` as a C identifier that is not in `taken`, which it joins."""
    plain = re.sub(r"(\(anonymous namespace\)|\w+)::", "", text)
    plain = re.sub(r"\((?:anonymous|unnamed)[^()]*\)", "Unnamed", plain)
    plain = re.sub(r"\(lambda at [^()]*\)", "lambda", plain)
    own = plain.isidentifier() and plain.strip("_")  # `copy_` is a name that callers know
    stem = plain if own else re.sub(r"\W+", "_", plain).strip("_") or "unnamed"
    name, k = stem, 1
    while name in taken:
        k += 1
        name = f"{stem}_{k}"
    taken.add(name)
    return name


def symbol_of(node: Node, spellings: Mapping[str, str]) -> str:
    """What callers write: the qualified name with template arguments."""
    parts: list[str] = []
    parent = node.c.semantic_parent
    while parent is not None and parent.kind.name in ("NAMESPACE", "STRUCT_DECL", "CLASS_DECL"):
        if parent.spelling:
            parts.insert(0, str(parent.spelling))
        parent = parent.semantic_parent
    args = [spellings.get(a, a) for a in template_arguments(node)]
    return "::".join([*parts, node.name]) + (f"<{', '.join(args)}>" if args else "")


def top_level(node: Node) -> Iterator[Node]:
    """The declarations of the user's text, namespaces opened."""
    for k in node.kids:
        if k.in_stub:
            continue
        if k.kind in _CONTAINERS:
            yield from top_level(k)
        else:
            yield k


__all__ = ["FunctionEntry", "Unit", "is_reference", "role_of", "symbol_of", "top_level"]
