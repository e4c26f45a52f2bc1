"""Rewrite declarations of shared and device memory so that the emulator's runtime owns the storage.

`__shared__ float tile[16][17];` becomes a reference of the same type and name,
`float (&tile)[16][17] = ::xp_simt::shared_slot([]{}, "tile", 0);`, whose storage belongs to the
running block. The closure type is unique to the declaration *and* to each instantiation of a
template around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xpiler.platforms._simt.lexer import (
    Edit,
    Token,
    apply,
    code,
    join,
    lex,
    match_angle_close,
    match_close,
    next_solid,
    split_commas,
    words,
)
from xpiler.platforms._simt.scopes import (
    CLASS,
    FUNCTION,
    NAMESPACE,
    Body,
    scopes,
    statement_start,
)

_BUILTIN_TYPES = words("void bool char short int long signed unsigned float double wchar_t auto")
_CV = words("const volatile constexpr inline register mutable typename")
_DROPPED = words("static extern __shared__ thread_local __device__")
_ALIGN = words("alignas __align__ __attribute__ __declspec")
_RESTRICT = words("__restrict__ __restrict restrict const volatile")
_BEFORE_USE = words("return case else do and or not sizeof co_return throw")
_ALIAS = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)[ \t]+"
    r"(?P<body>(?:(?:extern|static|volatile|__align__\(\w+\)|alignas\(\w+\))[ \t]+)*__shared__"
    r"(?:[ \t]+(?:volatile|__align__\(\w+\)|alignas\(\w+\)))*)[ \t]*$",
    re.MULTILINE,
)
_CLASS_KEYS = words("struct class union enum")


@dataclass(frozen=True)
class Storage:
    """The words that name a memory (with the function that finds a variable's place there).

    `file_key` makes the key of a variable at file scope. With `pointees` a word before `*` says
    where the pointer points, and is dropped. With `accessors` bodies of macros may mention
    variables at file scope. With `initial` a variable may start with a value.
    """

    words: Mapping[str, str]
    file_key: str
    dynamic: str = "::xp_simt::dynamic_slot()"
    pointees: bool = False
    accessors: bool = False
    initial: bool = False


SIMT_STORAGE = Storage({"__shared__": "::xp_simt::shared_slot"}, "::xp_simt::FileKey")


@dataclass
class Declaration:
    """A parsed declaration of shared memory."""

    specifiers: str = ""
    declarators: list[list[Token]] = field(default_factory=list)
    align: str = "0"
    dynamic: bool = False
    slot: str = ""


def expand_aliases(text: str) -> str:
    """Replace a macro that stands for `__shared__` (and other specifiers) by what it stands for."""
    aliases = {m["name"]: m["body"].strip() for m in _ALIAS.finditer(text)}
    if not aliases:
        return text
    tokens = lex(text)
    edits = [
        Edit(i, i + 1, aliases[token.text])
        for i, token in enumerate(tokens)
        if token.text in aliases and not token.directive
    ]
    return apply(tokens, edits)


def rewrite_storage(text: str, storage: Storage = SIMT_STORAGE) -> str:
    """The text with all declarations in such memories replaced; lines keep their numbers."""
    if not any(word in text for word in storage.words):
        return text
    text = expand_aliases(text)
    tokens = lex(text)
    kinds, _ = scopes(tokens)
    edits: list[Edit] = []
    at_file: list[tuple[str, str]] = []
    for i, token in enumerate(tokens):
        if token.text not in storage.words or (edits and i < edits[-1].end):
            continue
        scope = kinds[i] if not token.directive else FUNCTION
        edit = _one(tokens, i, scope, at_file, storage)
        if edit is not None:
            edits.append(edit)
    return _inject(apply(tokens, edits), at_file, storage.accessors)


def _one(
    tokens: Sequence[Token],
    index: int,
    scope: str,
    at_file: list[tuple[str, str]],
    storage: Storage,
) -> Edit | None:
    start = statement_start(tokens, index)
    if _inside_brackets(tokens, start) or _defines(tokens, index):
        return None if _defines(tokens, index) else Edit(index, index + 1, " ")
    end = _statement_end(tokens, index)
    declaration = parse([t for t in tokens[start:end] if t.text not in storage.words])
    declaration.slot = storage.words[tokens[index].text]
    if not declaration.declarators:
        return None
    if storage.pointees and _points(declaration):
        return Edit(index, index + 1, " ")
    values = _initial_values(declaration) if storage.initial else []
    if values is None or (values and scope in {NAMESPACE, CLASS}):
        told = f'static_assert(false, "{tokens[index].text}: an initialiser is not modelled")'
        return Edit(start, end, told)
    if scope in {NAMESPACE, CLASS}:
        return Edit(start, end, _file_scope(declaration, at_file, storage))
    parts = [_reference(d, declaration, "[] {}", storage) for d in declaration.declarators]
    made = f"{declaration.specifiers} {', '.join(p for _, p in parts)}"
    return Edit(start, end, "; ".join([made, *values]))


def _initial_values(declaration: Declaration) -> list[str] | None:
    """Assignments that set variables to their first values; None where one is no plain number."""
    found: list[str] = []
    for declarator in declaration.declarators:
        texts = [t.text for t in declarator]
        at = _declared_name(declarator)
        name = texts.index("=") if "=" in texts else None
        if name is None or at is None:
            if "{" in texts:
                return None
            continue
        if "[" in texts[:name] or "{" in texts:
            return None
        found.append(f"{texts[at]} = {code(declarator[name + 1 :]).strip()}")
    return found


def _points(declaration: Declaration) -> bool:
    solid = [t.text for d in declaration.declarators for t in d if not t.blank]
    return bool(solid) and solid[0] in {"*", "&"}


def _defines(tokens: Sequence[Token], index: int) -> bool:
    """`#define __shared__ ...` or `#ifdef __shared__`."""
    before = next_solid(tokens, index - 1, -1)
    asks = {"define", "ifdef", "ifndef", "undef", "defined"}
    return before >= 0 and tokens[index].directive > 0 and tokens[before].text in asks


def _inside_brackets(tokens: Sequence[Token], start: int) -> bool:
    before = next_solid(tokens, start - 1, -1)
    return before >= 0 and tokens[before].text == "(" and not tokens[start].directive


def _statement_end(tokens: Sequence[Token], index: int) -> int:
    """Index of the `;` (or of the end of the preprocessor line) that ends the declaration."""
    home, depth = tokens[index].directive, 0
    for i in range(index, len(tokens)):
        token = tokens[i]
        if token.directive != home:
            if home:
                return i
            continue
        if token.text in {"{", "(", "["}:
            depth += 1
        elif token.text in {"}", ")", "]"}:
            depth -= 1
        elif token.text == ";" and depth == 0:
            return i
    return len(tokens)


def parse(tokens: Sequence[Token]) -> Declaration:
    """Take a declaration apart: specifiers, declarators, alignment."""
    result = Declaration()
    kept: list[str] = []
    typed = ""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        text = token.text
        if token.blank:
            kept.append(code([token]))
        elif text in _DROPPED:
            result.dynamic |= text == "extern"
        elif text in _ALIGN:
            i = _take_alignment(tokens, i, result)
        elif text in _CV:
            kept.append(text)
        elif text in _CLASS_KEYS:
            i, typed = _take_class(tokens, i, kept), "class"
        elif text in _BUILTIN_TYPES and typed != "class":
            kept.append(text)
            typed = "builtin"
        elif not typed and (token.kind == "name" or text == "::"):
            i, typed = _take_type_name(tokens, i, kept), "class"
        else:
            break
        i += 1
    result.specifiers = "".join(kept).strip()
    result.declarators = [d for d in split_commas(tokens[i:]) if any(not t.blank for t in d)]
    return result


def _take_alignment(tokens: Sequence[Token], index: int, into: Declaration) -> int:
    opened = next_solid(tokens, index + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return index
    closed = match_close(tokens, opened)
    if closed is None:
        return index
    inner = [t for t in tokens[opened + 1 : closed] if not t.blank]
    value = code(inner).strip()
    if tokens[index].text == "__attribute__":
        at = [k for k, t in enumerate(inner) if t.text in {"aligned", "__aligned__"}]
        value = code(inner[at[0] + 2 : -2]).strip() if at else ""
    elif tokens[index].text == "alignas":
        value = f"alignof({value})" if inner and not _is_expression(inner) else value
    if value:
        into.align = f"::xp_simt::largest({into.align}, {value})" if into.align != "0" else value
    return closed


def _is_expression(inner: Sequence[Token]) -> bool:
    return inner[0].text not in _BUILTIN_TYPES and (
        any(t.kind == "number" for t in inner)
        or any(t.text in {"sizeof", "alignof"} for t in inner)
        or all(t.kind == "name" and t.text.isupper() for t in inner)
    )


def _take_class(tokens: Sequence[Token], index: int, kept: list[str]) -> int:
    """`struct Name`, `struct {...}` or `struct Name {...}`: index of its last token."""
    last = index
    i = next_solid(tokens, index + 1)
    while i < len(tokens) and (tokens[i].kind == "name" or tokens[i].text == "::"):
        last = i
        i = next_solid(tokens, i + 1)
        if tokens[last].kind == "name" and (i >= len(tokens) or tokens[i].text != "::"):
            break
    if i < len(tokens) and tokens[i].text == "{":
        last = match_close(tokens, i) or i
    elif i < len(tokens) and tokens[i].text == "<":
        last = match_angle_close(tokens, i) or i
    kept.append(code(tokens[index : last + 1]))
    return last


def _take_type_name(tokens: Sequence[Token], index: int, kept: list[str]) -> int:
    """A qualified name with template arguments: index of its last token."""
    last = i = index
    while i < len(tokens):
        last = i
        i = next_solid(tokens, i + 1)
        if i < len(tokens) and tokens[last].kind == "name" and tokens[i].text in {"<", "("}:
            call = tokens[i].text == "("
            if call and tokens[last].text not in {"decltype", "typeof", "__typeof__"}:
                break
            last = (match_close(tokens, i) if call else match_angle_close(tokens, i)) or i
            i = next_solid(tokens, last + 1)
        if i >= len(tokens):
            break
        follows = tokens[i].text == "::" or tokens[last].text in {"::", "template"}
        if not follows:
            break
    kept.append(code(tokens[index : last + 1]))
    return last


def _declared_name(declarator: Sequence[Token]) -> int | None:
    for i, token in enumerate(declarator):
        if token.kind == "name" and token.text not in _RESTRICT and token.text not in _ALIGN:
            return i
    return None


def _reference(
    declarator: Sequence[Token], whole: Declaration, key: str, storage: Storage
) -> tuple[str, str]:
    """Name, and the declarator as a reference with its storage."""
    name_at = _declared_name(declarator)
    if name_at is None:
        return "", code(declarator)
    name = declarator[name_at].text
    before, after = code(declarator[:name_at]), _dimensions(declarator[name_at + 1 :], whole)
    slot = storage.dynamic if whole.dynamic else f'{whole.slot}({key}, "{name}", {whole.align})'
    return name, f"{before}(&{name}){after.rstrip()} = {slot}"


def _dimensions(tokens: Sequence[Token], whole: Declaration) -> str:
    """What follows the name, up to an initialiser; alignment attributes are taken out."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        if tokens[i].text in {"=", "{"}:
            break
        if tokens[i].text in _ALIGN:
            i = _take_alignment(tokens, i, whole)
        elif tokens[i].text in {"(", "["}:
            closed = match_close(tokens, i) or i
            if tokens[i].text == "[":
                out += tokens[i : closed + 1]
            i = closed
        else:
            out.append(tokens[i])
        i += 1
    return code(out)


def _file_scope(declaration: Declaration, at_file: list[tuple[str, str]], storage: Storage) -> str:
    """A key at file scope; functions that mention the name declare the reference themselves."""
    keys: list[str] = []
    for declarator in declaration.declarators:
        number = len(at_file)
        key = f"{storage.file_key}{{&xp_shared_key_{number}}}"
        name, reference = _reference(declarator, declaration, key, storage)
        if name:
            keys.append(f"static char xp_shared_key_{number} __attribute__((unused))")
            flat = " ".join(f"{declaration.specifiers} {reference};".split())
            if storage.accessors:
                keys.append(
                    f"__attribute__((unused)) static decltype(auto) xp_file_{number}() "
                    f"{{ {flat} return ({name}); }}"
                )
            at_file.append((name, flat))
    return "; ".join(keys)


def _inject(text: str, at_file: Sequence[tuple[str, str]], accessors: bool) -> str:
    if not at_file:
        return text
    tokens = lex(text)
    edits: list[Edit] = []
    for body in scopes(tokens)[1]:
        wanted = [decl for name, decl in at_file if _uses(tokens, body, name)]
        if wanted:
            edits.append(Edit(body.open, body.open + 1, "{ " + " ".join(wanted)))
    if accessors:
        edits += _in_macros(tokens, {name: number for number, (name, _) in enumerate(at_file)})
    return apply(tokens, edits)


def _in_macros(tokens: Sequence[Token], names: Mapping[str, int]) -> list[Edit]:
    """Mentions in the bodies of macros, which may become function bodies: calls of accessors."""
    return [
        Edit(i, i + 1, f"xp_file_{names[token.text]}()")
        for i, token in enumerate(tokens)
        if token.directive and token.text in names and _mentions(tokens, i)
    ]


def _mentions(tokens: Sequence[Token], index: int) -> bool:
    """In the body of a `#define` that has no parameter or declaration of that name."""
    name, home = tokens[index].text, tokens[index].directive
    line = [i for i, t in enumerate(tokens) if t.directive == home and not t.blank]
    if len(line) < 3 or tokens[line[1]].text != "define":
        return False
    opened = line[2] + 1
    closed = match_close(tokens, opened) if tokens[opened].text == "(" else line[2]
    places = [i for i in line if tokens[i].text == name]
    return places[0] > (closed or opened) and not any(_declares(tokens, i) for i in places)


def _declares(tokens: Sequence[Token], index: int) -> bool:
    at = next_solid(tokens, index - 1, -1)
    before = tokens[at]
    if before.text in {"*", "&"}:
        before = tokens[next_solid(tokens, at - 1, -1)]
        return before.text in _BUILTIN_TYPES or before.text.endswith("_t")
    named = before.kind == "name" and before.text not in _BEFORE_USE
    return named or before.text in {".", "->", "::"}


def _uses(tokens: Sequence[Token], body: Body, name: str) -> bool:
    """Whether the body's first mention of `name` is a use, and no parameter has that name."""
    if any(t.text == name for t in tokens[body.parameters : body.open]):
        return False
    for i in range(body.open, body.close):
        if tokens[i].text != name or tokens[i].kind != "name":
            continue
        before = tokens[next_solid(tokens, i - 1, -1)]
        if before.text not in {".", "->", "::"}:
            declares = before.kind == "name" and before.text not in _BEFORE_USE
            return not declares and not join(tokens[max(i - 2, 0) : i]).endswith("(&")
    return False


def register_globals(text: str) -> str:
    """Announce each `__device__`/`__constant__` variable of the file to the runtime."""
    if not any(word in text for word in ("__device__", "__constant__", "__managed__")):
        return text
    tokens = lex(text)
    kinds, _ = scopes(tokens)
    edits: list[Edit] = []
    for i, token in enumerate(tokens):
        if token.text not in {"__device__", "__constant__", "__managed__"} or token.directive:
            continue
        if kinds[i] != NAMESPACE or (edits and i < edits[-1].end):
            continue
        edit = _announce(tokens, i, len(edits))
        if edit is not None:
            edits.append(edit)
    return apply(tokens, edits)


def _announce(tokens: Sequence[Token], index: int, number: int) -> Edit | None:
    start, end = statement_start(tokens, index), _statement_end(tokens, index)
    present = {t.text for t in tokens[start:end]}
    if end >= len(tokens) or present & {"template", "extern", "using"}:
        return None
    if _has_body(tokens[index:end]):
        return None
    names = _variables(tokens[start:end])
    if not names:
        return None
    how = ", ".join(str(word in present).lower() for word in ("__constant__", "__managed__"))
    calls = " ".join(
        f"static ::xp_simt::DeviceVariable xp_variable_{number}_{k}"
        f'(&{name}, sizeof({name}), "{name}", {how});'
        for k, name in enumerate(names)
    )
    return Edit(end, end + 1, f"; {calls}")


def _has_body(tokens: Sequence[Token]) -> bool:
    """Whether a declaration is a function with its body: then no `;` ends it."""
    opened = next((i for i, t in enumerate(tokens) if t.text in {"{", "="}), None)
    if opened is None or tokens[opened].text == "=":
        return False
    head = [t for t in tokens[:opened] if not t.blank]
    while head and head[-1].text in {"const", "noexcept"}:
        head.pop()
    return bool(head) and head[-1].text == ")"


def _variables(tokens: Sequence[Token]) -> list[str]:
    """Names that a declaration declares as variables; none for a function."""
    plain = [t for t in tokens if t.text not in {"__device__", "__constant__", "__managed__"}]
    declaration = parse([t for t in plain if t.text != "__host__"])
    names: list[str] = []
    for declarator in declaration.declarators:
        at = _declared_name(declarator)
        if at is None:
            continue
        after = next_solid(declarator, at + 1)
        if after < len(declarator) and declarator[after].text in {"(", "::", "<"}:
            return []
        if declarator[at].text == "operator":
            return []
        names.append(declarator[at].text)
    return names
