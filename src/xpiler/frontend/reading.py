"""From a request to a program: invokes clang, reads every function, collects remarks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.frontend.cursor import Node
from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.lanes import spread
from xpiler.frontend.precompiled import prelude_arguments
from xpiler.frontend.source import Source
from xpiler.frontend.unit import Unit, symbol_of, top_level

if TYPE_CHECKING:
    from xpiler.frontend.parse import ReadResult, Request

_VIRTUAL = "/xpiler/include"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)
_EXPLICIT = re.compile(
    r"^[ \t]*template\s+(?!<)([^;{}]*?)([\w:]+\s*<[^;{}()]*>)\s*\(([^;{}]*)\)\s*;", re.M
)
_NOT_FOUND = re.compile(r"'([^']+)' file not found")
_VOLATILE = re.compile(rb"(?<!asm )\bvolatile\b(?!\s*\()")
_FILE_NAME = re.compile(r"(?:[\w.+-]+/)*[\w.+-]*[\w+-]")
_MAX_ERRORS = 50


def read_unit(request: Request) -> ReadResult:
    """Parses and reads; needs libclang in this process."""
    from xpiler.frontend.parse import ReadResult

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20000))
    source = Source(request.text, request.path, request.filename, dict(request.defines))
    unit = Unit(request.words, source, request.words.wave(request.arch))
    missing = missing_headers(request, request.text)
    tu = parse(request, missing)
    for _ in range(8):  # headers that other headers want
        named = (_NOT_FOUND.match(str(d.spelling)) for d in tu.diagnostics)
        more = {m[1] for m in named if m and _FILE_NAME.fullmatch(m[1])} - missing
        if not more:
            break
        missing |= more
        tu = parse(request, missing)
    uses = asked_uses(Node(tu.cursor), request.template_args) if request.template_args else ()
    if uses:
        request = replace(request, uses=uses)
        tu = parse(request, missing)
    for name in sorted(missing):
        _remark_header(unit, request, name)
    _clang_errors(unit, tu, request)
    _read_all(unit, Node(tu.cursor), request)
    program = unit.program()
    if request.words.lanes:
        program = spread(program)
    return ReadResult(program, tuple(unit.diagnostics))


def parse(request: Request, missing: set[str]) -> Any:
    """The translation unit; headers that nobody has are empty."""
    from clang import cindex

    files = [(request.path, instantiated(request))]
    files += [(f"{_VIRTUAL}/{name}", "") for name in missing]
    for name, stub in request.words.headers.items():
        files.append((f"{_VIRTUAL}/{name}", f'#include "{stub}"\n' if stub else ""))
    fixed, folders = arguments(request), [*folder_arguments(request), *implied(request)]
    index = cindex.Index.create(excludeDecls=True)
    try:
        prelude = prelude_arguments(request.words, fixed)
        tu = index.parse(request.path, [*fixed, *prelude, *folders], files)
        if not any(
            "precompiled" in str(d.spelling) or "PCH" in str(d.spelling) for d in tu.diagnostics
        ):
            return tu
    except cindex.TranslationUnitLoadError:
        pass
    plain = ["-include", request.words.prelude] if request.words.prelude else []
    return index.parse(request.path, [*fixed, *plain, *folders], files)


def arguments(request: Request) -> list[str]:
    """clang's command line, but for the prelude and the user's folders."""
    words = request.words
    own = next((v for k, v in words.clang_for.items() if request.filename.endswith(k)), None)
    args = [*(own or words.clang), "-nostdinc", "-Wno-everything", "-ferror-limit=0"]
    for folder in words.stubs:
        args += ["-isystem", folder]
    args += ["-isystem", _VIRTUAL]
    args += ["-D__xp_joined(a,b)=a##b", "-D__xp_unique(a,b)=__xp_joined(a,b)"]
    args += [f"-D{k}={v}" for k, v in arch_defines(request).items()]
    args += [f"-D{k}={v}" for k, v in request.defines.items()]
    return args


def folder_arguments(request: Request) -> list[str]:
    return [a for folder in request.folders for a in ("-I", folder)]


def implied(request: Request) -> list[str]:
    """Headers that a fragment without any include leaves to whoever compiles it."""
    if _INCLUDE.search(request.text):
        return []
    found = {h for pattern, h in request.words.implied.items() if re.search(pattern, request.text)}
    return [a for h in sorted(found) for a in ("-include", h)]


def arch_defines(request: Request) -> dict[str, str]:
    """What the compiler of this architecture predefines: `{arch}` and `{digits}` filled in."""
    arch = request.arch or request.words.default_arch
    digits = "".join(c for c in arch if c.isdigit()) or "0"
    option = arch.partition(":")[2] or "none"
    fill = {"arch": arch, "digits": digits, "option": option}
    fill["wave"] = str(request.words.wave(request.arch))
    return {k.format(**fill): v.format(**fill) for k, v in request.words.arch_macros.items()}


def _used(m: re.Match[str]) -> str:
    """An explicit instantiation and a use; in a macro one that may stand at several places."""
    name = "__xp_unique(__xp_use_, __COUNTER__)"
    return f"{m[0]} namespace {{ auto {name} = &{m[2].strip()}; }}"


def instantiated(request: Request) -> str:
    """The text, with a use behind each explicit instantiation and for each asked template.

    libclang shows the body of an instantiation only where something refers to it.
    """
    text = _EXPLICIT.sub(_used, request.text)
    words = request.words
    stubs = {stub for name, stub in words.same_as.items() if name in request.text}
    stubs |= set(words.values.values())  # also headers of the user's may name these
    for stub in sorted(stubs):
        text += f"\nnamespace {{ auto __xp_same_{stub} = &{stub}; }}"
    for i, use_of in enumerate(request.uses):
        text += f"\nnamespace {{ auto __xp_asked_{i} = &{use_of}; }}"
    return text


def asked_uses(root: Node, given: Mapping[str, str]) -> tuple[str, ...]:
    """The template-ids of kernel templates whose parameters `given` names (`k<float, 256>`)."""
    found = []
    for n in top_level(root):
        if n.kind != "FUNCTION_TEMPLATE" or not any(k.kind == "CUDAGLOBAL_ATTR" for k in n.kids):
            continue
        params = [k.name for k in n.kids if k.kind.startswith("TEMPLATE_")]
        values = [str(given[p]) for p in params if p in given]
        if values and params[: len(values)] == [p for p in params if p in given]:
            found.append(f"{symbol_of(n, {})}<{', '.join(values)}>")
    return tuple(found)


def missing_headers(request: Request, text: str) -> set[str]:
    """Included names that neither the stubs nor the given folders have."""
    names = set(_INCLUDE.findall(text)) - set(request.words.headers)
    folders = [*request.folders, *request.words.stubs]
    return {
        n
        for n in names
        if _FILE_NAME.fullmatch(n) and not any(os.path.isfile(Path(f) / n) for f in folders)
    }


def _remark_header(unit: Unit, request: Request, name: str) -> None:
    at = next((m.start() for m in _INCLUDE.finditer(request.text) if m[1] == name), 0)
    line = request.text.count("\n", 0, at) + 1
    fault = NotUnderstood(
        "XP0111", f"header {name!r} is not read", "it is neither known to this tool nor found",
        "give its folder with --include; without it, what it declares is unknown",
    )  # fmt: skip
    unit.report(fault, unit.source.loc(line, 1), "note")


def _remark_volatile(unit: Unit) -> None:
    """Says once that `volatile` is not kept."""
    text, comments = unit.source, unit.source.comments
    places = (m.start() for m in _VOLATILE.finditer(text.data) if unit.types.volatile)
    at = next((k for k in places if not any(c.start <= k < c.end for c in comments)), None)
    if at is None:
        return
    fault = NotUnderstood(
        "XP0214", "`volatile` is not kept",
        "the translation orders what the threads do by itself; whether the source does is checked "
        "when it is run",
    )  # fmt: skip
    unit.report(fault, text.loc(text.line_of(at)), "note")


def _clang_errors(unit: Unit, tu: Any, request: Request) -> None:
    errors = [d for d in tu.diagnostics if d.severity >= 3]
    unit.given_up = any(d.severity >= 4 for d in errors)
    for i, d in enumerate(errors):
        f = str(d.location.file.name) if d.location.file else request.path
        here = f == request.path
        unit.error_lines.setdefault(f, set()).add(d.location.line)
        if i >= _MAX_ERRORS:
            continue
        loc = SourceLoc(request.filename if here else f, d.location.line, d.location.column)
        line = unit.source.line_text(loc.line) if here else ""
        unit.diagnostics.append(
            Diagnostic(
                "XP0110",
                str(d.spelling),
                "error" if here else "warning",
                loc,
                line,
                "the parser rejects this",
                "the statement is left out; the rest is still translated",
            )
        )


def _read_all(unit: Unit, root: Node, request: Request) -> None:
    from xpiler.frontend.calls import passes_registers, works_on_address

    nodes = list(top_level(root))
    unit.spans = sorted((n.start, n.end) for n in nodes if n.file == request.path)
    for n in nodes:
        if n.name.startswith("__xp_same_"):
            unit.stubs.update({k.ref.name: k.ref for k in n.walk() if k.ref is not None})
    for n in nodes:  # their names are taken before any function is read
        if n.kind == "VAR_DECL" and not n.name.startswith("__xp_"):
            _global(unit, n)
    for n in nodes:
        if n.kind == "FUNCTION_DECL" and n.c.is_definition() and not _implicit(unit, n):
            # Others are read where they are called.
            if not (works_on_address(n) or passes_registers(unit, n)):
                unit.entry(n)
        elif n.name.startswith(("__xp_use_", "__xp_asked_")):
            _use(unit, n)
        elif n.kind == "FUNCTION_TEMPLATE":
            unit.templates.append(n)
    unit.remark_templates()
    unit.excuse_host_errors()
    _remark_volatile(unit)


def _implicit(unit: Unit, n: Node) -> bool:
    """Whether a function is an instantiation that the parser made: read where it is used."""
    written = unit.source.slice(n.start, n.start + 8) == "template"
    return int(n.c.get_num_template_arguments()) > 0 and not written


def _global(unit: Unit, n: Node) -> None:
    try:
        shared = any(k.kind == "CUDASHARED_ATTR" for k in n.kids)
        if not n.type.is_const_qualified() and not shared:
            unit.global_var(n)
    except NotUnderstood as fault:
        unit.report(fault, unit.loc(n), "warning")


def _use(unit: Unit, n: Node) -> None:
    """An instantiation that somebody asked for."""
    for k in n.walk():
        if k.kind == "DECL_REF_EXPR" and k.ref is not None and k.ref.kind == "FUNCTION_DECL":
            unit.entry(k.ref)
