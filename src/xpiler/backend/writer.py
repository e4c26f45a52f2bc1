"""A program as one file of text: header, includes, types, helpers, globals, functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xpiler.backend import types, usage
from xpiler.backend.expressions import ExpressionPrinter
from xpiler.backend.layout import comment_lines, wrap
from xpiler.backend.names import free_name, legal, local_names
from xpiler.backend.places import execution_places
from xpiler.backend.spelling import Helper, Spelling, defined, words_of
from xpiler.backend.statements import StatementPrinter, declared
from xpiler.backend.survey import numbered_vectors, reinterpreted
from xpiler.backend.tidy import tidy
from xpiler.backend.unit import Unit
from xpiler.diagnostics import Diagnostic
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Global, Program, StructDef
from xpiler.ir.rewrite import variables, walk
from xpiler.ir.types import Type


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: its text, what the user must know of it, and the C name of each function."""

    text: str
    diagnostics: tuple[Diagnostic, ...]
    names: dict[str, str]


def write(program: Program, spelling: Spelling, header: Sequence[str] = ()) -> str:
    """The text of a sequential program; `header` lines become its first comment.

    Raises XpilerError (XP0610) for what the platform's language cannot say.
    """
    return write_unit(program, spelling, header).text


def write_unit(program: Program, spelling: Spelling, header: Sequence[str] = ()) -> Written:
    """As `write`, with diagnostics (XP0611: a function had to be renamed) and the names given."""
    unit = _unit(program, spelling)
    functions = [_function(unit, f) for f in _callees_first(unit.program)]
    return Written(
        _file(unit, functions, header),
        tuple(unit.diagnostics),
        {name: c for name, (c, _) in unit.functions.items()},
    )


def signature(f: Function, spelling: Spelling) -> list[tuple[str, str]]:
    """The C types and names of a function's parameters, in order."""
    reserved = spelling.keywords | spelling.library | frozenset(spelling.headers)
    names = local_names(f, reserved)
    return [(types.declare(p.type, "", spelling), names[p.name]) for p in f.params]


# Names at file scope -------------------------------------------------------------------


def _unit(program: Program, spelling: Spelling) -> Unit:
    program = spelling.dialect.prepare(program)
    spelling = replace(spelling, native=spelling.dialect.native_vectors(program))
    unit = Unit(program, spelling)
    unit.places = execution_places(program)
    unit.macros = {m.name: m.text for m in program.macros}
    unit.structs = {d.name: dict(d.fields) for d in program.structs}
    taken = set(unit.macros) | set(unit.structs)
    unit.generated.numbered = numbered_vectors(program)
    if spelling.syntax.aliasing:
        unit.generated.aliased = {t for f in program.functions for t in reinterpreted(f)}
    reserved = spelling.keywords | spelling.library | frozenset(spelling.headers)
    outside = [f for f in program.functions if not _internal(f, program)]
    for f in (*outside, *(f for f in program.functions if f not in outside)):
        unit.functions[f.name] = (_function_name(unit, f, reserved, taken, f in outside), f)
    for g in program.globals:
        unit.globals[g.var.name] = free_name(g.var.name, reserved | set(spelling.helpers), taken)
        taken.add(unit.globals[g.var.name])
    return unit


def _function_name(
    unit: Unit, f: Function, reserved: frozenset[str], taken: set[str], outside: bool
) -> str:
    stem = legal(f.public)
    if stem in reserved:
        stem = f"{stem}_kernel" if f.role == "kernel" else f"{stem}_function"
    name = free_name(stem, reserved if outside else reserved | set(unit.spelling.helpers), taken)
    taken.add(name)
    if outside and name != f.public:
        unit.diagnostics.append(_renamed(f, name))
    return name


def _renamed(f: Function, name: str) -> Diagnostic:
    return Diagnostic(
        "XP0611",
        f"{f.public} is called {name} in the output",
        "warning",
        f.loc,
        reason=f"{f.public} is a word of the language or its library, or no C identifier",
        help=f"call {name}, or rename the function in the source",
    )


def _internal(f: Function, program: Program) -> bool:
    """Whether only this file calls `f`; what nobody calls stays visible, hence never unused."""
    return (f.static or f.role == "device") and f.name in _called(program)


def _called(program: Program) -> set[str]:
    return {
        n.func
        for f in program.functions
        for n in walk(f.body)
        if isinstance(n, e.Call) and n.func != f.name
    }


def _callees_first(program: Program) -> list[Function]:
    """Source order, but every function after those that it calls (recursion aside)."""
    by_name = {f.name: f for f in program.functions}
    out: list[Function] = []
    open_: set[str] = set()

    def visit(f: Function) -> None:
        if f in out or f.name in open_:
            return
        open_.add(f.name)
        for n in walk(f.body):
            if isinstance(n, e.Call) and n.func in by_name:
                visit(by_name[n.func])
        out.append(f)

    for f in program.functions:
        visit(f)
    return out


# Functions -----------------------------------------------------------------------------


def _function(unit: Unit, f: Function) -> str:
    f = tidy(f)
    file_scope = {name for name, _ in unit.functions.values()} | set(unit.globals.values())
    reserved = (
        unit.spelling.keywords
        | frozenset(unit.spelling.headers)
        | frozenset(unit.spelling.helpers)
        | file_scope
        | set(unit.macros)
        | set(unit.structs)
    )
    own = local_names(f, frozenset(reserved))
    if not unit.spelling.syntax.sequential:
        own |= _dynamic_names(unit, f, own)
    names = {**unit.globals, **own}
    aliased = frozenset(reinterpreted(f)) if unit.spelling.syntax.aliasing else frozenset[Type]()
    host = f.role != "kernel" and unit.places.get(f.name) == "host"
    printer = ExpressionPrinter(unit, names, aliased, host)
    body = StatementPrinter(f, printer)
    pad = " " * unit.spelling.indent
    head = _head(unit, f, printer)
    lines = [*comment_lines(f.comments), *wrap(head, unit.spelling.line_width), "{"]
    inside = body.lines(f.body)
    unused = [pad + line for line in body.unused_parameters(inside)]
    return "\n".join([*lines, *unused, *inside, "}"])


def _dynamic_names(unit: Unit, f: Function, names: dict[str, str]) -> dict[str, str]:
    """Names of memory that the launch sizes: one name, one type, in all of the file."""
    out: dict[str, str] = {}
    for st in usage.statements(f.body):
        if isinstance(st, s.Decl) and st.dynamic:
            name, key = names[st.var.name], f"{st.var.type} {st.align}"
            taken = {*names.values(), *unit.dynamic}
            if unit.dynamic.get(name, key) != key:
                same = [n for n, k in unit.dynamic.items() if k == key and n not in names.values()]
                name = same[0] if same else free_name(name, unit.spelling.keywords, taken)
            unit.dynamic[name] = key
            out[st.var.name] = name
    return out


def _head(unit: Unit, f: Function, printer: ExpressionPrinter) -> str:
    name = unit.functions[f.name][0]
    params = [declared(p.type, printer.names[p.name], False, printer) for p in f.params]
    nothing = "" if unit.spelling.syntax.cpp else "void"
    call = f"{name}({', '.join(params) or nothing})"
    bounds = f.launch_bounds and unit.spelling.syntax.bounds
    if bounds:
        call = f"{bounds.format(f.launch_bounds)} {call}"
    before = [_linkage(unit, f), _place(unit, f)]
    return " ".join([*filter(None, before), declared(f.ret, call, False, printer)])


def _linkage(unit: Unit, f: Function) -> str:
    if unit.spelling.syntax.cpp and f.extern_c:
        return 'extern "C"'
    return "static" if _internal(f, unit.program) and f.role != "kernel" else ""


def _place(unit: Unit, f: Function) -> str:
    """The words that say where a function runs."""
    if f.role == "kernel":
        return unit.spelling.roles.get("kernel", "")
    return unit.spelling.roles.get(unit.places.get(f.name, f.role), "")


# The file ------------------------------------------------------------------------------


def _file(unit: Unit, functions: list[str], header: Sequence[str]) -> str:
    spelling = unit.spelling
    variables_ = [_global(unit, g) for g in unit.program.globals if _used(unit, g)]
    structs = [
        _struct(unit, d)
        for d in unit.program.structs
        if _mentioned(d.name, functions, variables_, unit)
    ]
    made = list(unit.generated.functions.values())
    on_host = _words_on_host(unit, functions, made)
    made = [_placed(text, unit, on_host) for text in made]
    vectors = unit.generated.typedefs(spelling)
    body = [*variables_, *structs, *made, *vectors, *functions]
    macros = _macros(unit, words_of("\n".join(body)))
    helpers = _helpers(spelling, words_of("\n".join(body)))
    first = [h.text for h in helpers if h.text.startswith("typedef")]
    later = [_placed(h.text, unit, on_host) for h in helpers if not h.text.startswith("typedef")]
    words = words_of("\n".join([*first, *later, *macros, *body]))
    parts = [
        "\n".join(comment_lines(tuple(header) + unit.program.comments)),
        "\n".join(f"#include {h}" for h in _headers(spelling, words)),
        "\n".join(text for word, text in spelling.using.items() if word in words),
        _guard(spelling, functions),
        "\n".join(macros),
        "\n".join([*first, *vectors]),
        *structs,
        *later,
        *made,
        "\n".join(variables_),
        *functions,
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _headers(spelling: Spelling, words: set[str]) -> list[str]:
    return [*spelling.always, *(h for h in spelling.headers_for(words) if h not in spelling.always)]


def _words_on_host(unit: Unit, functions: list[str], made: list[str]) -> tuple[set[str], set[str]]:
    """The words of the functions that run on the host, and of those on the device.

    Those of the helpers that they ask for are among them.
    """
    out: tuple[set[str], set[str]] = (set(), set())
    helpers = [h.text for h in unit.spelling.helpers.values()] + made
    for f, text in zip(_callees_first(unit.program), functions, strict=True):
        where = "device" if f.role == "kernel" else unit.places.get(f.name, f.role)
        for words, place in zip(out, ("host", "device"), strict=True):
            if where in (place, "both"):
                words |= words_of(text)
    for words in out:
        grown = -1
        while grown != len(words):
            grown = len(words)
            for text in helpers:
                if defined(text) in words:
                    words |= words_of(text)
    return out


def _placed(text: str, unit: Unit, words: tuple[set[str], set[str]]) -> str:
    """A helper with the words that say where it runs."""
    syntax, name = unit.spelling.syntax, defined(text)
    host, device = (name in w for w in words)
    word = syntax.helper_both if host and device else syntax.helper if device else ""
    if host and not device:
        word = syntax.helper_host
    return text.replace("static inline", word or syntax.helper, 1)


def _guard(spelling: Spelling, functions: Iterable[str]) -> str:
    """What keeps compilers from warning of directives that they do not know."""
    words = [w for w in spelling.parallel.values() if w.startswith("#pragma")]
    if not any(w.split("{")[0] in f for w in words for f in functions):
        return ""
    lanes = [w for key, w in spelling.parallel.items() if key in ("lanes", "both")]
    marked = any(w in f for w in lanes for f in functions)
    guards = ("guard", "guard_lanes") if marked else ("guard",)
    return "\n".join(spelling.parallel[g].strip() for g in guards)


def _helpers(spelling: Spelling, words: set[str]) -> list[Helper]:
    """The helpers that `words` ask for and those that they ask for, in the prelude's order."""
    wanted: set[str] = set()
    todo = [w for w in words if w in spelling.helpers]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += [w for w in spelling.helpers[name].needs if w in spelling.helpers]
    return [h for name, h in spelling.helpers.items() if name in wanted]


def _macros(unit: Unit, words: set[str]) -> list[str]:
    """The macros that the text uses, with those that they use."""
    wanted: set[str] = set()
    todo = set(words)
    while found := {m for m in unit.macros if m in todo} - wanted:
        wanted |= found
        todo = words_of("\n".join(unit.macros[m] for m in found))
    out: list[str] = []
    for m in unit.program.macros:
        if m.name in wanted:
            out += [*comment_lines(m.comments), f"#define {m.name} {m.text}"]
    return out


def _used(unit: Unit, g: Global) -> bool:
    return any(g.var.name in variables(f.body) for f in unit.program.functions) or not _static(g)


def _static(g: Global) -> bool:
    return g.static or g.const or g.space in ("constant", "global", "shared")


def _global(unit: Unit, g: Global) -> str:
    printer = ExpressionPrinter(unit, unit.globals)
    const = g.const and g.init is not None and g.space in ("local", "constant")
    head = declared(g.var.type, unit.globals[g.var.name], const, printer)
    init = f" = {_initial(printer, g.init, g.var.type)}" if g.init is not None else ""
    word = _global_space(unit, g)
    line = f"{word or ('static ' if _static(g) else '')}{head}{init};"
    return "\n".join([*comment_lines(g.comments), *wrap(line, unit.spelling.line_width)])


def _global_space(unit: Unit, g: Global) -> str:
    """The words that place a global in device memory; read-only ones of the host that device code
    reads stand in constant memory."""
    if unit.spelling.syntax.sequential:
        return ""
    read = any(
        g.var.name in variables(f.body)
        for f in unit.program.functions
        if f.role == "kernel" or unit.places.get(f.name) in ("device", "both")
    )
    if g.space == "local" and not (read and g.const):
        return ""
    space = "constant" if g.space == "local" else g.space
    return unit.spelling.spaces.get(f"global.{space}", "") + " "


def _initial(printer: ExpressionPrinter, init: e.Expr, t: Type) -> str:
    """A constant initialiser: braces, never a call."""
    return printer.braces(init) if isinstance(init, e.Aggregate) else printer.assigned(init, t)


def _mentioned(name: str, functions: list[str], variables_: list[str], unit: Unit) -> bool:
    others = (str(t) for d in unit.program.structs for _, t in d.fields)
    return name in words_of("\n".join([*functions, *variables_, *others]))


def _struct(unit: Unit, d: StructDef) -> str:
    printer = ExpressionPrinter(unit, {})
    pad = " " * unit.spelling.indent
    fields = [declared(t, name, False, printer) for name, t in d.fields]
    inside = [f"{pad}{field};" for field in fields]
    align = unit.spelling.syntax.align.format(d.align) if d.align else ""
    above = comment_lines(d.comments)
    if unit.spelling.syntax.cpp:
        word = f"struct {align} {d.name} {{" if align else f"struct {d.name} {{"
        return "\n".join([*above, word, *inside, "};"])
    if d.align and fields:
        inside[0] = f"{pad}{align} {fields[0]};"
    return "\n".join([*above, "typedef struct {", *inside, f"}} {d.name};"])
