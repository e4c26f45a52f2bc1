"""A text's syntax tree as plain pieces with their places, for whoever edits the text itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpiler.diagnostics import XpilerError
from xpiler.frontend.parse import Request, in_child

if TYPE_CHECKING:
    from xpiler.frontend.cursor import Node
    from xpiler.frontend.words import Words

_TYPED = frozenset(("VAR_DECL", "PARM_DECL", "FIELD_DECL"))
_DECLARATIONS = frozenset((*_TYPED, "FUNCTION_DECL", "FUNCTION_TEMPLATE", "DECL_STMT"))


@dataclass(frozen=True, slots=True)
class Piece:
    """One node of the tree: `text[start:end]` is how it is written.

    `kind` is libclang's name of it, `name` what it declares or refers to, `op` an operator's
    spelling, `type` the canonical type of an expression or a variable. `up` is the number of the
    piece around it (-1: none), `at` its own. `stub`: it refers to something of the platform's.
    """

    at: int
    kind: str
    start: int
    end: int
    line: int
    name: str = ""
    op: str = ""
    type: str = ""
    up: int = -1
    stub: bool = False

    @property
    def is_expr(self) -> bool:
        return self.kind.endswith(("_EXPR", "_LITERAL", "_OPERATOR", "_EXPRESSION"))


@dataclass(frozen=True)
class Tree:
    """All pieces of a text, parents first; `errors` are the parser's complaints."""

    text: str
    pieces: tuple[Piece, ...]
    errors: tuple[str, ...] = ()
    _kids: dict[int, list[Piece]] = field(default_factory=dict)
    _seen: dict[int, list[Piece]] = field(default_factory=dict)

    def of(self, p: Piece) -> str:
        """How the piece is written."""
        return self.text[p.start : p.end]

    def kids(self, p: Piece) -> Sequence[Piece]:
        """The direct children in source order."""
        if not self._kids:
            for x in self.pieces:
                self._kids.setdefault(x.up, []).append(x)
        return self._kids.get(p.at, ())

    def above(self, p: Piece) -> Iterator[Piece]:
        """What stands around the piece, nearest first."""
        while p.up >= 0:
            p = self.pieces[p.up]
            yield p

    def under(self, p: Piece) -> Iterator[Piece]:
        """The piece and everything in it."""
        yield p
        for k in self.kids(p):
            yield from self.under(k)

    def visible(self, p: Piece) -> list[Piece]:
        """Variables and parameters that the text at the piece can name, nearest last."""
        if p.at not in self._seen:
            self._seen[p.at] = self._visible(p)
        return self._seen[p.at]

    def _visible(self, p: Piece) -> list[Piece]:
        up = self.pieces[p.up] if p.up >= 0 else None
        found = [] if up is None else list(self.visible(up))
        for k in self._level(p.up):
            if k.at >= p.at:
                break
            if k.kind == "VAR_DECL" or (k.kind == "PARM_DECL" and up is not None):
                found.append(k)
            elif k.kind == "DECL_STMT":
                found += [v for v in self.kids(k) if v.kind == "VAR_DECL"]
        return found

    def _level(self, up: int) -> Sequence[Piece]:
        self.kids(self.pieces[0])
        return self._kids.get(up, ())

    def function(self, p: Piece) -> Piece | None:
        """The function that the piece stands in."""
        return next((q for q in self.above(p) if q.kind.startswith("FUNCTION_")), None)


def syntax(
    text: str,
    filename: str,
    words: Words,
    *,
    arch: str | None = None,
    defines: Mapping[str, str] | None = None,
    time_limit_s: float = 60.0,
) -> Tree:
    """The tree of a text. Raises XpilerError (XP0101, XP0102) where the parser itself fails."""
    request = Request(text, filename, words, arch, dict(defines or {}))
    found = in_child(request, time_limit_s, pieces_of)
    if isinstance(found, Tree):
        return found
    raise XpilerError(*found)


def pieces_of(request: Request) -> Tree:
    """Parses here and copies the tree."""
    from xpiler.frontend.cursor import Node
    from xpiler.frontend.reading import missing_headers, parse
    from xpiler.frontend.unit import top_level

    tu = parse(request, missing_headers(request, request.text))
    out: list[Piece] = []
    place = _places(request.text)
    limit = len(request.text.encode())
    for n in top_level(Node(tu.cursor)):
        if n.file == request.path and n.end <= limit:
            _copy(n, -1, request, place, out)
    errors = tuple(f"{d.location.line}: {d.spelling}" for d in tu.diagnostics if d.severity >= 3)
    return Tree(request.text, tuple(out), errors)


def _places(text: str) -> Sequence[int]:
    """The character at each byte offset."""
    if text.isascii():
        return range(len(text) + 1)
    found = []
    for i, c in enumerate(text):
        found += [i] * len(c.encode())
    return [*found, len(text)]


def _copy(n: Node, up: int, request: Request, place: Sequence[int], out: list[Piece]) -> None:
    start, end = n.start, n.end
    if n.kind == "UNEXPOSED_EXPR" and len(n.kids) == 1:
        inner = n.kids[0]  # a conversion that is not written
        if (inner.start, inner.end) == (start, end):
            return _copy(inner, up, request, place, out)
    if end > start and end < len(place):
        out.append(_piece(n, len(out), up, place[start], place[end]))
        up = out[-1].at
    for k in n.kids:
        if k.kind not in ("TYPE_REF", "NAMESPACE_REF"):
            _copy(k, up, request, place, out)


def _piece(n: Node, at: int, up: int, start: int, end: int) -> Piece:
    kind, op, type_, stub = n.kind, "", "", False
    if kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR"):
        op = n.binary
    elif kind == "UNARY_OPERATOR":
        op = n.unary
    if kind in _TYPED or (kind not in _DECLARATIONS and not kind.endswith("_STMT")):
        type_ = str(n.type.get_canonical().spelling)
    if kind in ("DECL_REF_EXPR", "CALL_EXPR"):
        ref = n.ref
        stub = ref is not None and ref.in_stub
    return Piece(at, kind, start, end, n.line, n.name, op, type_, up, stub)
