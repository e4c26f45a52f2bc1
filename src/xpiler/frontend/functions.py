"""A function's declaration and body -> `ir.Function`."""

from __future__ import annotations

import re

from xpiler.diagnostics import SourceLoc
from xpiler.frontend import calls, expressions, host, operators, ptx, statements, switches  # noqa: F401
from xpiler.frontend.cursor import Node
from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.flatten import flatten
from xpiler.frontend.jumps import structured
from xpiler.frontend.memory_core import checked
from xpiler.frontend.operators import is_status
from xpiler.frontend.owners import is_owner, released
from xpiler.frontend.reader import FunctionReader
from xpiler.frontend.rows import declared_extent, row_type, to_rows
from xpiler.frontend.tidy import tidy
from xpiler.frontend.types import constant_elements, is_reference
from xpiler.frontend.unit import FunctionEntry, Unit, role_of, symbol_of
from xpiler.frontend.whiles import counted
from xpiler.ir.expr import Aggregate, Const, Index, Var
from xpiler.ir.program import Function
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import LeftOut
from xpiler.ir.types import I32, VOID, Array, Opaque, Pointer, Struct, Type

_BOUNDS = re.compile(r"__launch_bounds__\s*\(\s*([^,()]+(?:\([^()]*\)[^,()]*)*)")


def read_function(unit: Unit, entry: FunctionEntry) -> Function:
    """Reads a function that has a body; raises NotUnderstood when its head makes no sense."""
    node = entry.node
    role = role_of(node)
    reader = FunctionReader(
        unit, role, unit.types(node.c.result_type), set(unit.taken), node, _comments(unit, node)
    )
    params = _params(reader, node)
    body_node = next((k for k in node.kids if k.kind == "COMPOUND_STMT"), None)
    for initial in initialisers(node):
        statements.initialise_member(reader, *initial)
    if body_node is not None:
        statements.read_block(reader, body_node)
    _lost(reader, node)
    found = structured((*reader.prologue, *reader.out))
    body = checked(reader, released(found, reader.owned, reader.taken))
    if role == "host" and statements.hopeless(reader):
        raise statements.hopeless_fault(reader)
    whole = Function(
        entry.name,
        params,
        counted(tidy(body, reader.memory, reader.taken), reader.memory),
        VOID if node.kind == "CONSTRUCTOR" else reader.ret,
        role,
        symbol_of(node, unit.words.spellings),
        "extern" in head_text(unit, node) or in_extern_c(node),
        node.c.storage_class.name == "STATIC",
        launch_bounds(unit, node),
        unit.loc(node),
        _comments_above(unit, node),
        tuple(reader.extents),
    )
    return flatten(whole) if role == "host" else whole


def _comments_above(unit: Unit, node: Node) -> tuple[str, ...]:
    if node.file != unit.source.path:
        return ()
    return unit.comments_before(_template_start(unit, node))


def _template_start(unit: Unit, node: Node) -> int:
    """Where the declaration begins: at `template` for an instantiation."""
    inside = [a for a, b in unit.spans if a <= node.start < b]
    return inside[0] if inside else node.start


def _lost(reader: FunctionReader, node: Node) -> None:
    """Marks the lines of this function that the parser dropped because of an error there."""
    unit = reader.unit
    first, last = node.line, int(node.c.extent.end.line)
    here = node.file == unit.source.path
    marked = {st.loc.line for st in walk(tuple(reader.out)) if isinstance(st, LeftOut) and st.loc}
    lines = unit.error_lines.get(node.file, set()) | ({first} if unit.given_up else set())
    for line in sorted(lines):
        if not first <= line <= last or line in marked:
            continue
        fault = NotUnderstood("XP0212", "a part was lost to a syntax error", "see XP0110 there")
        loc = SourceLoc(unit.source.shown if here else node.file, line)
        if reader.role == "host":
            reader.failures.append((fault, loc))
        elif not here:
            unit.report(fault, loc)
        text = unit.source.line_text(line).strip() if here else ""
        reader.out.insert(0, LeftOut(text, "XP0212", loc=loc))


def _params(reader: FunctionReader, node: Node) -> tuple[Var, ...]:
    found: list[Var] = []
    if has_self(node) and not reader.unit.is_void(reader.unit.types(node.c.semantic_parent.type)):
        found.append(_self_param(reader, node))
    for p in (k for k in node.kids if k.kind == "PARM_DECL"):
        var = _param(reader, p)
        if var is not None:
            found.append(var)
    return tuple(found)


def has_self(node: Node) -> bool:
    """Whether a function takes the object it works on."""
    if node.kind == "CXX_METHOD":
        return not node.c.is_static_method()
    return node.kind in ("CONSTRUCTOR", "CONVERSION_FUNCTION", "DESTRUCTOR")


def _self_param(reader: FunctionReader, node: Node) -> Var:
    t = reader.unit.types(node.c.semantic_parent.type)
    var = Var(reader.fresh("self"), Pointer(t, node.c.is_const_method()))
    reader.frame.this = Index(var, Const(0, I32), t)
    return var


def _param(reader: FunctionReader, p: Node) -> Var | None:
    t = param_type(reader.unit, p)
    if reader.role == "host" and to_rows(p.type):
        t = row_type(reader, p.type, p.kids)
    declared = declared_extent(reader, p)
    if is_owner(reader, p.type.get_canonical()):
        raise NotUnderstood("XP0202", f"parameter type {p.type.spelling!r} is not understood")
    inner = t.elem if isinstance(t, Pointer) and is_reference(p.type) else t
    if reader.unit.is_void(inner):
        reader.bind(p, Aggregate((), inner))
        return None
    var = Var(reader.fresh(p.name or "unused"), t)
    if declared is not None:
        reader.extents.append((var.name, declared))
    if is_status(reader, p):
        reader.bind(p, Const(0, t))
        return var
    if is_reference(p.type) and isinstance(t, Pointer) and not by_value(reader.unit, p):
        reader.bind(p, Index(var, Const(0, I32), t.elem))
    else:
        reader.bind(p, var)
    return var


def by_value(unit: Unit, p: Node) -> bool:
    """Whether a reference parameter is passed as a value: a constant one to a small thing."""
    if not is_reference(p.type):
        return True
    pointee = p.type.get_canonical().get_pointee()
    t = unit.types(pointee)
    if isinstance(t, Opaque):
        return True
    return bool(pointee.is_const_qualified()) and not isinstance(t, (Array, Pointer))


def param_type(unit: Unit, p: Node) -> Type:
    """The IR type that a parameter has: a small constant reference counts as its value."""
    t = unit.types(p.type)
    if is_reference(p.type) and by_value(unit, p) and isinstance(t, Pointer):
        t = t.elem
    if isinstance(t, Array):
        t = Pointer(t.elem, constant_elements(p.type))
    if isinstance(t, Struct) and unit.is_void(t):
        return t
    return t


def initialisers(node: Node) -> list[tuple[Node, Node]]:
    """The member initialisers of a constructor: field reference and value."""
    pairs: list[tuple[Node, Node]] = []
    member: Node | None = None
    for k in node.kids:
        if k.kind == "MEMBER_REF":
            member = k
        elif member is not None and k.kind not in ("PARM_DECL", "TYPE_REF", "COMPOUND_STMT"):
            pairs.append((member, k))
            member = None
    return pairs


def head_text(unit: Unit, node: Node) -> str:
    """The text of a function's head, up to its name."""
    if node.file != unit.source.path:
        return ""
    start = node.start
    text = unit.source.slice(start, int(node.c.location.offset))
    return text if '"C"' in text else ""


def in_extern_c(node: Node) -> bool:
    """Whether C code can call it: it stands in an `extern "C"` block, or the file is C itself."""
    static = node.c.storage_class.name == "STATIC"
    return not static and node.name != "main" and node.c.mangled_name == node.name


def launch_bounds(unit: Unit, node: Node) -> int:
    """The threads of `__launch_bounds__(threads, ...)`, 0 without one."""
    attr = next((k for k in node.kids if k.kind == "UNEXPOSED_ATTR"), None)
    if attr is None or node.file != unit.source.path:
        return 0
    line = unit.source.slice(min(attr.start, node.start), node.end)
    match = _BOUNDS.search(line)
    value = unit.source.macros.evaluate(match[1], constants_in_sight(unit)) if match else None
    return int(value) if value is not None else 0


def constants_in_sight(unit: Unit) -> dict[str, int | float]:
    """Constants at file scope that have a name of their own."""
    found: dict[str, int | float] = {}
    for name, text in unit.constants.items():
        value = unit.source.macros.evaluate(text, found)
        if value is not None:
            found[name] = value
    return found


def _comments(unit: Unit, node: Node) -> list:  # type: ignore[type-arg]
    if node.file != unit.source.path:
        return []
    body = next((k for k in node.kids if k.kind == "COMPOUND_STMT"), node)
    start, end = body.start, body.end
    return [c for c in unit.source.comments if start <= c.start < end]
