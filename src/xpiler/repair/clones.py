"""Many variants of a text in one: each changed function is there once for each variant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.inject import apply
from xpiler.repair.faults.model import Edit

_ITEMS = ("FUNCTION_DECL", "FUNCTION_TEMPLATE", "VAR_DECL", "STRUCT_DECL", "CLASS_DECL")
Variant = tuple[Edit, ...]


@dataclass(frozen=True)
class Unit:
    """A text that is cut into the declarations at its outermost level."""

    tree: Tree

    @cached_property
    def items(self) -> list[Piece]:
        """The declarations in source order; those inside others (instantiations) are left out."""
        found: list[Piece] = []
        for p in self.tree.pieces:
            if p.up == -1 and p.kind in _ITEMS and (not found or p.start >= found[-1].end):
                found.append(p)
        return found

    @cached_property
    def _words(self) -> dict[int, set[str]]:
        return {p.at: set(re.findall(r"[A-Za-z_]\w*", self.tree.of(p))) for p in self.items}

    @cached_property
    def _changed_above(self) -> dict[str, list[tuple[int, int]]]:
        """Lines of `#define`: where each macro's text stands."""
        found: dict[str, list[tuple[int, int]]] = {}
        for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[^\n]*$", self.tree.text, re.M):
            found.setdefault(m[1], []).append(m.span())
        return found

    def touched(self, variant: Variant) -> tuple[set[int], str] | None:
        """The items that a variant needs anew, and the macro that it changes.

        None where it changes something else, so that it can't share a program with others.
        """
        chosen: set[int] = set()
        macro = ""
        for e in variant:
            item = next((p for p in self.items if p.start <= e.start and e.end <= p.end), None)
            if item is not None:
                chosen.add(item.at)
                continue
            inside = [n for n, s in self._changed_above.items()
                      for a, b in s if a <= e.start and e.end <= b]  # fmt: skip
            if len(inside) != 1 or macro not in ("", inside[0]):
                return None
            macro = inside[0]
            chosen |= {p.at for p in self.items if macro in self._words[p.at]}
        return self._with_users(chosen), macro

    def _with_users(self, chosen: set[int]) -> set[int]:
        """The items and all that name them."""
        names = {p.name for p in self.items if p.at in chosen}
        while True:
            more = {p.at for p in self.items if self._words[p.at] & names} - chosen
            if not more:
                return chosen | {p.at for p in self.items if p.name in names}
            chosen = chosen | more
            names |= {p.name for p in self.items if p.at in more}

    def clone(self, variant: Variant, number: int, entry: str) -> tuple[str, str] | None:
        """The variant's own text, to stand behind everything else, and its entry's name."""
        found = self.touched(variant)
        if found is None:
            return None
        chosen, macro = found
        names = {p.name for p in self.items if p.at in chosen}
        parts = [self._item(p, variant) for p in self.items if p.at in chosen]
        text = "\n".join(parts)
        renamed = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(names)))})\b")
        text = renamed.sub(lambda m: f"{m[0]}_v{number}", text) if names else text
        if macro:
            text = self._redefined(text, macro, variant)
        return text, f"{entry}_v{number}" if _bare(entry) in names else entry

    def _item(self, p: Piece, variant: Variant) -> str:
        inside = [
            Edit(e.kind, e.start - p.start, e.end - p.start, e.new)
            for e in variant
            if p.start <= e.start and e.end <= p.end
        ]
        end = (
            ";"
            if p.kind in ("VAR_DECL", "STRUCT_DECL", "CLASS_DECL") or not self._has_body(p)
            else ""
        )
        return apply(inside, self.tree.of(p)) + end

    def _has_body(self, p: Piece) -> bool:
        return self.tree.of(p).rstrip().endswith("}")

    def _redefined(self, text: str, macro: str, variant: Variant) -> str:
        (a, b), *_ = self._changed_above[macro]
        inside = [Edit(e.kind, e.start - a, e.end - a, e.new) for e in variant if a <= e.start <= b]
        old = self.tree.text[a:b]
        return f"#undef {macro}\n{apply(inside, old)}\n{text}\n#undef {macro}\n{old}"


def _bare(entry: str) -> str:
    return entry.split("<")[0]


def renamed_entry(entry: str, number: int) -> str:
    """The entry's name in a variant: `f<256>` becomes `f_v3<256>`."""
    head, angle, rest = entry.partition("<")
    return f"{head}_v{number}{angle}{rest}"


def combined(unit: Unit, variants: Sequence[Variant], entry: str) -> tuple[str, list[str | None]]:
    """One text with all variants, and each one's entry (None: it needs a program of its own).

    The compiler's errors in variant k are told of a file called `<variant k>`.
    """
    parts, entries = [unit.tree.text], list[str | None]()
    for k, variant in enumerate(variants):
        found = unit.clone(variant, k, _bare(entry)) if variant else ("", entry)
        if found is None:
            entries.append(None)
            continue
        text, name = found
        renamed = name != entry and name != _bare(entry)
        entries.append(renamed_entry(entry, k) if renamed else entry)
        if text:
            parts.append(f'#line 1 "<variant {k}>"\n{text}')
    return "\n".join(parts) + "\n", entries
