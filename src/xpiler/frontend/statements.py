"""Statements: declarations, branches, returns; loops are in `loops`, switches in `switches`."""

from __future__ import annotations

import re
from dataclasses import replace

from xpiler.frontend import jumps, lambdas, loops
from xpiler.frontend.convert import convert
from xpiler.frontend.cursor import Node
from xpiler.frontend.expressions import address, constant_variable, initial
from xpiler.frontend.faults import NotUnderstood, understood
from xpiler.frontend.lambdas import lambda_in
from xpiler.frontend.memory_core import other_side
from xpiler.frontend.operators import drop, effect, is_status, store
from xpiler.frontend.owners import is_owner, owner
from xpiler.frontend.reader import STATEMENTS, FunctionReader, simple, statement
from xpiler.frontend.rows import declare_rows
from xpiler.frontend.types import is_reference, variable_length
from xpiler.frontend.unit import named_space
from xpiler.ir.expr import Aggregate, Const, Expr, Field, Index, Var, is_place
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import Break, Continue, Decl, If, Instr, LeftOut, Return, Scope, Stmt
from xpiler.ir.types import I8, I32, VOID, Array, Opaque, Pointer, Scalar, Struct, Type

_ALIGN = re.compile(r"(?:__align__|alignas|aligned)\s*\(\s*(\d+)\s*\)")
_SILENT = ("NULL_STMT", "UNEXPOSED_DECL", "TYPEDEF_DECL", "TYPE_ALIAS_DECL", "STRUCT_DECL",
           "USING_DECLARATION", "USING_DIRECTIVE", "STATIC_ASSERT", "ENUM_DECL", "UNION_DECL",
           "CLASS_DECL", "NAMESPACE_ALIAS")  # fmt: skip


def read_statement(r: FunctionReader, n: Node, nested: bool = False) -> None:
    """Reads one statement with its comments; what is not understood is left out."""
    saved_loc = r.loc
    if not r.frame.inlined:
        r.loc = r.unit.loc(n)
        r.above += _claim_comments(r, n.start)
    mark, bound = len(r.out), len(r.bound)
    try:
        _dispatch(r, n, nested)
    except Exception as err:
        if r.frame.inlined:
            raise
        fault = understood(err)
        del r.out[mark:]
        r.forget(bound)
        _leave_out(r, n, fault)
    if not r.frame.inlined:
        _beside(r, n, mark)
    r.loc = saved_loc


def _dispatch(r: FunctionReader, n: Node, nested: bool) -> None:
    if n.kind == "COMPOUND_STMT" and nested:
        read_block(r, n)
    elif n.kind in STATEMENTS:
        STATEMENTS[n.kind](r, n)
    elif n.kind.endswith("_STMT"):
        r.fail("XP0201", f"this statement ({n.kind.lower()}) is not understood")
    else:
        effect(r, n)


def _claim_comments(r: FunctionReader, offset: int) -> tuple[str, ...]:
    found = []
    while r.comments and r.comments[0].end <= offset:
        found.append(r.comments.pop(0).text)
    return tuple(found)


def _beside(r: FunctionReader, n: Node, mark: int) -> None:
    """A comment behind the statement on its last line belongs to it."""
    if not r.comments or len(r.out) <= mark or n.kind == "COMPOUND_STMT":
        return
    c, end = r.comments[0], n.end
    source = r.unit.source
    if not c.own_line and c.start >= end and c.line == source.line_of(max(end - 1, 0)):
        between = source.slice(end, c.start)
        if not between.strip("; \t,)"):
            r.comments.pop(0)
            last = r.out[-1]
            r.out[-1] = replace(last, comments=(*last.comments, c.text))


def _leave_out(r: FunctionReader, n: Node, fault: NotUnderstood) -> None:
    text = r.unit.source.slice(n.start, n.end) if n.file == r.unit.source.path else ""
    essential = fault.essential and not inert(r, text)
    if not essential:
        fault = NotUnderstood(
            "XP0211", "this statement is left out", fault.message, "results do not depend on it"
        )
    if r.role == "host" and essential:
        r.failures.append((fault, r.unit.loc(n)))
    else:
        r.unit.report(fault, r.unit.loc(n), "error" if essential else "note")
    r.emit(LeftOut(text, fault.code, essential))


def inert(r: FunctionReader, text: str) -> bool:
    """Whether host text only prints or measures, by the words in it."""
    words = set(re.findall(r"[A-Za-z_]\w*", text))
    return r.role == "host" and bool(words & r.unit.words.inert)


def hopeless(r: FunctionReader) -> bool:
    """Whether an essential part of a host function was not understood."""
    return bool(r.failures)


def hopeless_fault(r: FunctionReader) -> NotUnderstood:
    fault, loc = r.failures[0]
    new = NotUnderstood(fault.code, fault.message, fault.reason, fault.help)
    new.loc = loc  # type: ignore[attr-defined]
    return new


@statement(*_SILENT)
def _nothing(r: FunctionReader, n: Node) -> None:
    return None


@statement("COMPOUND_STMT")
def _scope(r: FunctionReader, n: Node) -> None:
    with r.capture() as inner:
        read_block(r, n)
    if any(isinstance(st, Decl) for st in inner):
        r.emit(Scope(tuple(inner)))
    else:
        r.out.extend(inner)


def read_block(r: FunctionReader, n: Node) -> None:
    """The statements between braces."""
    for k in n.kids:
        r.statement(k)
    if not r.frame.inlined and n.file == r.unit.source.path:
        trailing = _claim_comments(r, n.end)
        if trailing and r.out:
            last = r.out[-1]
            r.out[-1] = replace(last, comments=last.comments + trailing)


@statement("UNEXPOSED_STMT")
def _attributed(r: FunctionReader, n: Node) -> None:
    """A statement under an attribute such as `#pragma unroll` or [[fallthrough]]."""
    inner = n.kids[-1] if n.kids else None
    if inner is None:
        return
    text = r.unit.source.slice(n.start, inner.start) if n.file == r.unit.source.path else ""
    loops.with_unroll(r, inner, text)


@statement("DECL_STMT")
def _declarations(r: FunctionReader, n: Node) -> None:
    for k in n.kids:
        if k.kind == "VAR_DECL":
            declare(r, k)
        elif k.kind not in _SILENT and not k.kind.endswith("_REF"):
            r.fail("XP0201", f"this declaration ({k.kind.lower()}) is not understood")


def declare(r: FunctionReader, n: Node) -> None:
    """A local variable (or reference, lambda, handle)."""
    init = n.init
    lam = lambda_in(init)
    if lam is not None:
        lambdas.bind(r, n, lam)
        return
    if is_reference(n.type):
        _reference(r, n, init)
        return
    if str(n.type.get_canonical().spelling) in r.unit.words.fixed:
        _fixed(r, n)
        return
    if is_owner(r, n.type):
        owner(r, n, init)
        return
    if variable_length(n.type):
        declare_rows(r, n, init)
        return
    t = r.unit.types(n.type)
    if _is_handle(r, n, t):
        _handle(r, n, t, init)
        return
    if constant_variable(r, n, t) is not None and not _static_storage(n):
        return
    _variable(r, n, t, init)


def _fixed(r: FunctionReader, n: Node) -> None:
    """A record whose members are always the default values written in our header."""
    from xpiler.frontend.construct import default_value

    t = r.unit.types(n.type)
    r.bind(n, default_value(r, n, t) or Aggregate((), t))


def _static_storage(n: Node) -> bool:
    return bool(n.c.storage_class.name == "STATIC") and not n.type.is_const_qualified()


def _is_handle(r: FunctionReader, n: Node, t: Type) -> bool:
    return isinstance(t, Opaque) or r.unit.is_void(t) or is_status(r, n)


def _handle(r: FunctionReader, n: Node, t: Type, init: Node | None) -> None:
    """A variable without content here: only what its initial value does stays."""
    if init is not None and init.kind != "INIT_LIST_EXPR":
        drop(r, r.expr(init))
    r.bind(n, Const(0, t) if isinstance(t, Scalar) else Aggregate((), t))


def _reference(r: FunctionReader, n: Node, init: Node | None) -> None:
    """A reference is the place itself where that stays the same place, else a pointer to it."""
    if init is None:
        r.fail("XP0207", "a reference without a place")
    place = r.expr(init)
    if not is_place(place):
        r.bind(n, place if simple(place) else r.temp(place, place.type, n.name))
    elif _stays(r, n, place):
        r.bind(n, place)
    else:
        target = r.unit.types(n.type)
        var = Var(r.fresh(n.name), Pointer(place.type, getattr(target, "const", False)))
        r.emit(Decl(var, address(place)))
        r.bind(n, Index(var, Const(0, I32), place.type))


def _stays(r: FunctionReader, n: Node, place: Expr) -> bool:
    """Whether the variables that choose the place never change."""
    if isinstance(place, Var):
        return True
    if isinstance(place, Field):
        return _stays(r, n, place.base)
    if not isinstance(place, Index):
        return False
    changing = {k[2] for k in r.mutated_keys()}
    inner = [x for x in walk((place,)) if isinstance(x, Var)]  # type: ignore[arg-type]
    loads = any(isinstance(x, Index) for x in walk((place.index,)))  # type: ignore[arg-type]
    return not loads and not any(x.name.split(".")[0] in changing for x in inner)


def _variable(r: FunctionReader, n: Node, t: Type, init: Node | None) -> None:
    if n.c.storage_class.name == "STATIC" and not n.type.is_const_qualified() and r.role == "host":
        r.fail("XP0201", "a static local variable is not understood", "it outlives the call",
               "make it a variable at file scope")  # fmt: skip
    space = "shared" if any(k.kind == "CUDASHARED_ATTR" for k in n.kids) else "local"
    space = named_space(n) or space
    if _is_address_list(r, n, t, init):
        return
    constant_q = n.type.is_const_qualified() or _constant_elements(n)
    value = None if space == "shared" else initial_value(r, n, t, init)
    if isinstance(t, Array) and t.size is None and space == "shared":
        t = Array(t.elem, None)
    newest = r.claim(value) if value is not None else None
    var = r.declare(n, t)
    if space == "shared" or n.c.storage_class.name == "STATIC":
        r.memory.add(var.name)
    dynamic = isinstance(t, Array) and t.size is None
    align = _alignment(r, n)
    if isinstance(newest, Instr):
        r.emit(Decl(var, None, space, dynamic, align))  # type: ignore[arg-type]
        r.emit(replace(newest, outs=(var,), comments=()))
        return
    if isinstance(newest, Decl):
        value = newest.init
    r.emit(Decl(var, value, space, dynamic, align, constant_q))  # type: ignore[arg-type]


def _constant_elements(n: Node) -> bool:
    t = n.type.get_canonical()
    while t.kind.name == "CONSTANTARRAY":
        t = t.element_type
    return bool(t.is_const_qualified()) and t.kind.name != "POINTER"


def initial_value(r: FunctionReader, n: Node, t: Type, init: Node | None) -> Expr | None:
    """The initial value of a variable, None when it starts undefined."""
    if init is None:
        return None
    if init.kind == "CALL_EXPR" and init.ref is not None and init.ref.kind == "CONSTRUCTOR":
        from xpiler.frontend.construct import construct

        return construct(r, init, t)
    return initial(r, init, t)


def _is_address_list(r: FunctionReader, n: Node, t: Type, init: Node | None) -> bool:
    """`void* args[] = {&a, &b}`, the argument list of a launch by function call."""
    if not (isinstance(t, Array) and isinstance(t.elem, Pointer) and t.elem.elem in (VOID, I8)):
        return False
    if init is None or init.kind != "INIT_LIST_EXPR" or r.role != "host":
        return False
    r.address_lists[n.key] = init.kids
    return True


def _alignment(r: FunctionReader, n: Node) -> int:
    if n.file != r.unit.source.path:
        return 0
    match = _ALIGN.search(r.unit.source.slice(n.start, n.end))
    return int(match[1]) if match else 0


@statement("IF_STMT")
def _if(r: FunctionReader, n: Node) -> None:
    kids = n.kids
    decls = [k for k in kids if k.kind == "DECL_STMT"]
    if decls and kids[0].kind == "DECL_STMT":
        with r.capture() as inner:
            r.statement(kids[0])
            branch(r, kids[1:])
        r.emit(Scope(tuple(inner)))
    else:
        branch(r, kids)


def branch(r: FunctionReader, kids: list[Node]) -> None:
    """`if (kids[0]) kids[1] else kids[2]`."""
    others = other_side(r, kids)
    if others is not None:
        r.out.extend(_scoped(others))
        return
    cond = r.condition(kids[0])
    if isinstance(cond, Const):
        taken = kids[1] if cond.value else kids[2] if len(kids) > 2 else None
        r.out.extend(_scoped(r.body(taken)))
        return
    above, r.above = r.above, ()
    then = r.body(kids[1])
    orelse = r.body(kids[2]) if len(kids) > 2 else ()
    r.above = above
    if then or orelse:
        r.emit(If(cond, then, orelse))


def _scoped(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    return body


@statement("RETURN_STMT")
def _return(r: FunctionReader, n: Node) -> None:
    if r.frame.inlined:
        _inline_return(r, n)
        return
    if not n.kids or r.ret == VOID:
        if n.kids:
            effect(r, n.kids[0])
        r.emit(Return())
        return
    value = _fit(r, r.expr(n.kids[0]), r.ret)
    newest = r.claim(value)
    if isinstance(newest, Decl) and newest.init is not None:
        value = newest.init
    else:
        r.restore(newest)
    r.emit(Return(value))


def _fit(r: FunctionReader, value: Expr, t: Type) -> Expr:
    if is_reference(r.root.c.result_type) and is_place(value):
        return address(value)
    if isinstance(t, (Struct, Array)) or isinstance(value.type, (Struct, Array)):
        return value
    return convert(value, t)


def _inline_return(r: FunctionReader, n: Node) -> None:
    if r.frame.depth or r.frame.returned:
        r.fail("XP0210", "a return in the middle of a body that is read in place is not understood")
    r.frame.returned = True
    if n.kids:
        r.frame.result = r.expr(n.kids[0])


@statement("BREAK_STMT")
def _break(r: FunctionReader, n: Node) -> None:
    r.emit(Break())


@statement("CONTINUE_STMT")
def _continue(r: FunctionReader, n: Node) -> None:
    r.emit(Continue())


@statement("LABEL_STMT")
def _label(r: FunctionReader, n: Node) -> None:
    """A label; a function that is read in place has no jumps left."""
    if not r.frame.inlined:
        r.emit(jumps.mark(n.name))
    for k in n.kids:
        if not k.kind.endswith("_REF"):
            r.statement(k)


@statement("GOTO_STMT")
def _goto(r: FunctionReader, n: Node) -> None:
    if r.frame.inlined:
        r.fail("XP0204", "goto is not understood", "the function is read in place")
    r.emit(jumps.jump(n.kids[0].name))


@statement("INDIRECT_GOTO_STMT")
def _indirect_goto(r: FunctionReader, n: Node) -> None:
    r.fail("XP0204", "goto is not understood", "jumps have no structure to translate",
           "write the control flow with if, while and break")  # fmt: skip


def initialise_member(r: FunctionReader, member: Node, value: Node) -> None:
    """`member(value)` of a constructor."""
    if r.frame.this is None or member.ref is None:
        r.fail("XP0207", "a member initialiser without an object")
    t = r.unit.types(member.ref.type)
    store(
        r, Field(r.frame.this, member.name, t), initial_value(r, member, t, value) or Const(0, I32)
    )
