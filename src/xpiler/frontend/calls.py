"""Calls: a neutral function, an instruction, a stub read in place, or a function of the user's."""

from __future__ import annotations

from xpiler.frontend import host, inline, lambdas
from xpiler.frontend.convert import const, convert, zero
from xpiler.frontend.cursor import Node
from xpiler.frontend.expressions import address, axis
from xpiler.frontend.instructions import apply_instruction
from xpiler.frontend.operators import binary, deref, lanes_binary
from xpiler.frontend.reader import FunctionReader, expression, simple
from xpiler.frontend.types import is_reference
from xpiler.frontend.unit import FunctionEntry, Unit, role_of
from xpiler.ir.expr import AddressOf, Bits, Call, Cast, Const, Expr, Index, Var, is_place
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk_exprs
from xpiler.ir.stmt import Eval, Instr
from xpiler.ir.types import I32, VOID, Array, Pointer, Scalar, Struct, Type, Vector

_TYPED_BY_RESULT = (
    "pow",
    "atan2",
    "fmod",
    "hypot",
    "fdim",
    "copysign",
    "max",
    "min",
    "div",
    "remainder",
)


@expression("CALL_EXPR")
def _call(r: FunctionReader, n: Node) -> Expr:
    return call(r, n, used=True)


def call(r: FunctionReader, n: Node, used: bool) -> Expr:
    """The value of a call; its effects are emitted. `used`: whether anybody wants the value."""
    callee = callee_of(n)
    if callee is None:
        return _unresolved(r, n)
    if callee.kind == "CONSTRUCTOR":
        from xpiler.frontend.construct import construct

        made = construct(r, n, r.unit.types(n.type))
        return made if made is not None else zero(r.unit.types(n.type))
    name = qualified(callee)
    if role_of(callee) == "kernel" and host.is_launch(n):
        return host.launch(r, n, callee)
    if callee.name == "operator()" and n.args:
        closure = lambdas.closure_of(r, n.args[0])
        if closure is not None:
            return lambdas.call(r, closure, callee, n.args[1:])
    if (callee.name == "operator=" and callee.c.is_default_method()) or _plain_assignment(
        r, callee, n
    ):
        return _copy(r, n)
    return _known(r, n, callee, name, used)


def callee_of(n: Node) -> Node | None:
    """The called function; also below parentheses and behind a name bound to it."""
    if n.ref is not None and n.ref.kind not in ("VAR_DECL", "PARM_DECL"):
        return n.ref
    inner = n.ref or (_function_below(n.kids[0]) if n.kids else None)
    if inner is not None and inner.kind == "VAR_DECL" and inner.init is not None:
        target = inner.init.stripped()
        inner = target.kids[0].stripped().ref if target.unary == "&" else target.ref
    return inner if inner is not None and inner.kind not in ("VAR_DECL", "PARM_DECL") else None


def _function_below(n: Node) -> Node | None:
    """The declaration that an expression names, also as a template's argument."""
    n = n.stripped()
    while n.ref is None and len(n.kids) == 1:
        n = n.kids[0].stripped()
    return n.ref


def _unresolved(r: FunctionReader, n: Node) -> Expr:
    text = n.name or r.unit.source.slice(n.start, n.end).split("(")[0]
    r.fail(
        "XP0203",
        f"the call of {text!r} is not understood",
        "the function is not declared",
        "give the header that declares it with --include, or write it in this file",
    )


def _plain_assignment(r: FunctionReader, callee: Node, n: Node) -> bool:
    """`a = b` of structs by an operator that nobody wrote."""
    return callee.name == "operator=" and callee.c.get_definition() is None


def _copy(r: FunctionReader, n: Node) -> Expr:
    from xpiler.frontend.operators import store

    value = r.expr(n.args[1])
    place = r.expr(n.args[0])
    if not r.unit.is_void(place.type):
        store(r, place, value)
    return place


def qualified(decl: Node) -> str:
    """The name with its namespaces and classes, inline namespaces of ours left out."""
    parts = [decl.name.split("<")[0]]
    parent = decl.c.semantic_parent
    while parent is not None and parent.kind.name in ("NAMESPACE", "STRUCT_DECL", "CLASS_DECL"):
        if parent.spelling:
            parts.insert(0, str(parent.spelling))
        parent = parent.semantic_parent
    return "::".join(parts)


def _known(r: FunctionReader, n: Node, callee: Node, name: str, used: bool) -> Expr:
    words = r.unit.words
    if callee.in_stub or name.startswith("__builtin_"):
        if name in words.launch_calls:
            return host.launch_call(r, n, words.launch_calls[name])
        if name in words.axis_calls:
            return axis(words.axis_calls[name])
        instruction = words.instruction(name)
        if instruction is not None:
            return apply_instruction(r, n, callee, instruction, used)
        if name in words.same_as:
            stub = r.unit.stub_function(words.same_as[name])
            return inline.run(
                r, stub, [k for k in stub.kids if k.kind == "PARM_DECL"], n.args, None
            )
        if name in words.nothing:
            return const(0, I32)
        if name in words.host_none:
            r.emit(Instr("host.none", (), (), (("call", name),)))
            return const(0, _result(r, n))
        word = words.math.get(name) or words.math.get(name.removeprefix("__builtin_"))
        if word is not None and _suits(r, n, word.only):
            return math_call(r, word.func, [*n.args], _result(r, n), word.fast)
        if name in words.bits:
            return Bits(r.expr(n.args[0]), _result(r, n))
        if callee.c.get_definition() is not None:
            return inline.stub_call(r, n, callee)
        value = n.evaluate()
        if value is not None:
            return const(value, _result(r, n))
    return _user_call(r, n, callee, used)


def _result(r: FunctionReader, n: Node) -> Type:
    t = r.unit.types(n.type)
    return t if t != VOID else I32


def _suits(r: FunctionReader, n: Node, only: str) -> bool:
    t = r.unit.types(n.type)
    if isinstance(t, Pointer):  # std::max returns a reference
        t = t.elem
    if not isinstance(t, Scalar):
        return False
    return not only or (t.is_integer if only == "integer" else t.is_float)


def math_call(r: FunctionReader, func: str, nodes: list[Node], t: Type, fast: bool) -> Expr:
    """A call of a neutral function, its operands in the type of the result where they must be."""
    args = r.operands(nodes)
    if func in _TYPED_BY_RESULT or (math_functions()[func] == 1 and _float(t)):
        args = [convert(a, t) if isinstance(a.type, Scalar) else a for a in args]
    return Call(func, tuple(args), t, fast)


def _float(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_float


def _user_call(r: FunctionReader, n: Node, callee: Node, used: bool) -> Expr:
    definition = callee.c.get_definition()
    if definition is not None and _read_in_place(r, n, Node(definition)):
        return inline.stub_call(r, n, callee)
    entry = r.unit.entry(callee)
    if entry is None:
        r.fail(
            "XP0203",
            f"the call of {callee.name!r} is not understood",
            "its definition is not in this file",
            "put the function's definition into the file, or give its folder with --include",
        )
    if entry.failed:
        r.fail("XP0203", f"the called function {callee.name!r} was left out")
    return _call_entry(r, n, entry, used)


def _read_in_place(r: FunctionReader, n: Node, definition: Node) -> bool:
    """Whether a user's function is better read in place of its call.

    So are functions that take a lambda, that only name a place (`T& operator[]`), or whose
    assembly works on an address kept in an integer.
    """
    if role_of(definition) == "kernel":
        return False
    if any(lambdas.closure_of(r, a) is not None for a in n.args):
        return True
    return (
        _names_a_place(definition)
        or works_on_address(definition)
        or passes_registers(r.unit, definition)
    )


def passes_registers(unit: Unit, definition: Node) -> bool:
    """Whether a function takes or gives vectors that are registers: read where it is called."""
    if not unit.words.lanes:
        return False
    types = [definition.c.result_type, *(p.type for p in definition.kids if p.kind == "PARM_DECL")]
    return any(unit.is_vector(t.get_canonical()) for t in types)


def _names_a_place(definition: Node) -> bool:
    body = next((k for k in definition.kids if k.kind == "COMPOUND_STMT"), None)
    single = body is not None and len(body.kids) == 1 and body.kids[0].kind == "RETURN_STMT"
    return single and is_reference(definition.c.result_type)


def works_on_address(definition: Node) -> bool:
    """Whether a function's assembly takes an address that comes as an integer parameter.

    Such a function is read in place of its calls, where the pointer behind the integer is known.
    """
    kinds = ("UINT", "ULONG", "INT", "ULONGLONG")
    numbers = any(
        p.kind == "PARM_DECL" and p.type.get_canonical().kind.name in kinds for p in definition.kids
    )
    called = definition.kind == "FUNCTION_DECL" and role_of(definition) == "device"
    return numbers and called and "asm" in _asm_of(definition)


def _asm_of(definition: Node) -> str:
    from xpiler.frontend.asmtext import asm_statements, pretty

    if not any(n.kind.endswith("ASM_STMT") for n in definition.walk()):
        return ""
    addressed = any("[%" in a.template for a in asm_statements(pretty(definition)))
    return "asm" if addressed else ""


def _call_entry(r: FunctionReader, n: Node, entry: FunctionEntry, used: bool) -> Expr:
    args = arguments(r, n, entry.node)
    t = r.unit.types(n.type)
    returns_place = is_reference(entry.node.c.result_type)
    if returns_place:
        t = r.unit.types(entry.node.c.result_type)
    value = Call(entry.name, tuple(args), t)
    if t == VOID or r.unit.is_void(t) or not used:
        if entry.effectful and not entry.empty:
            r.emit(Eval(value))
        return Const(0, I32)
    if entry.effectful:
        kept = r.temp(value, t, entry.node.name)
        return deref(kept) if returns_place else kept
    return deref(value) if returns_place else value


def arguments(r: FunctionReader, n: Node, callee: Node) -> list[Expr]:
    """The values for a function's parameters: the object first, references as addresses."""
    from xpiler.frontend.functions import has_self

    nodes, params = n.args, [k for k in callee.kids if k.kind == "PARM_DECL"]
    readers = []
    if has_self(callee):
        object_node, nodes = object_and_rest(n, params)
    if has_self(callee) and not r.unit.is_void(r.unit.types(callee.c.semantic_parent.type)):
        readers.append(lambda: _self(r, object_node, callee))
    for p, a in zip(params, nodes, strict=False):
        if not _empty_param(r, p):
            readers.append(lambda p=p, a=a: argument(r, p, a))  # type: ignore[misc]
    return r.in_order(readers)


def object_and_rest(n: Node, params: list[Node]) -> tuple[Node | None, list[Node]]:
    """The object of a member call and its other arguments."""
    args = n.args
    if len(args) > len(params):  # an operator: the object is its first argument
        return args[0], args[1:]
    first = n.kids[0] if n.kids else None
    if first is not None and first.kind == "MEMBER_REF_EXPR":
        inner = [
            k for k in first.kids if not k.kind.endswith("_REF") or k.kind == "MEMBER_REF_EXPR"
        ]
        return (inner[0] if inner else None), args
    return None, args


def _self(r: FunctionReader, node: Node | None, callee: Node) -> Expr:
    place = r.expr(node) if node is not None else r.frame.this
    if place is None:
        r.fail("XP0207", "a member call without an object")
    wanted = Pointer(r.unit.types(callee.c.semantic_parent.type), callee.c.is_const_method())
    if isinstance(place.type, Pointer):
        return _as_base(place, wanted)
    if not is_place(place):
        place = r.temp(place, place.type, "object")
    if isinstance(place, Var):
        r.memory.add(place.name)
    return _as_base(address(place), wanted)


def _as_base(p: Expr, wanted: Pointer) -> Expr:
    """A pointer to a derived object as one to its base, which is its beginning."""
    same = isinstance(p.type, (Pointer, Array)) and p.type.elem == wanted.elem
    return p if same else Cast(p, wanted)


def _empty_param(r: FunctionReader, p: Node) -> bool:
    t = r.unit.types(p.type)
    return r.unit.is_void(t.elem if is_reference(p.type) and isinstance(t, Pointer) else t)


def argument(r: FunctionReader, p: Node, a: Node) -> Expr:
    """One argument in the form that the parameter takes."""
    from xpiler.frontend.functions import by_value, param_type

    t = param_type(r.unit, p)
    value = default_argument(r, p) if a.kind == "UNEXPOSED_EXPR" and not a.kids else r.expr(a)
    if by_value(r.unit, p):
        return value if isinstance(t, Struct) else convert(value, t)
    if not is_place(value):
        value = r.temp(value, value.type)
    if isinstance(value, Var):
        r.memory.add(value.name)
    return address(value, isinstance(t, Pointer) and t.const)


def default_argument(r: FunctionReader, p: Node) -> Expr:
    """The value of a parameter's default."""
    given = [k for k in p.kids if not k.kind.endswith("_REF") and not k.kind.endswith("_ATTR")]
    return r.expr(given[-1]) if given else const(0, r.unit.types(p.type))


def has_effect(r: FunctionReader, e: Expr) -> bool:
    """Whether evaluating `e` does more than give a value."""
    names = {f.name: f for f in r.unit.functions.values()}
    return any(
        isinstance(x, Call) and x.func in names and names[x.func].effectful for x in walk_exprs(e)
    )


__all__ = ["AddressOf", "Index", "Vector", "binary", "call", "lanes_binary", "simple"]
