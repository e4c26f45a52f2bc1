"""A preprocessed header in pieces, its top-level declarations: a text gets those that it uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_WORD = re.compile(r"[A-Za-z_]\w*")
_INNER = r"\((?:[^()]|\([^()]*\))*\)"
_ATTRIBUTE = re.compile(rf"__attribute__\s*\(\((?:[^()]|{_INNER})*\)\)")
_TARGET = re.compile(r"__target__\s*\(\s*\"([^\"]*)\"")
HAVE = "#have "
LACKING, ENOUGH = "#lacking", "#enough"
_TYPES = ("typedef", "enum", "struct", "union")
_SETS = ("avx", "sse", "ssse", "fma", "f16c", "bmi", "vpclmul", "gfni", "vaes")


@dataclass(frozen=True)
class Header:
    """Declarations in order, which of them declares a name, and which this processor lacks."""

    texts: list[str]
    where: dict[str, list[int]] = field(default_factory=dict)
    lacking: frozenset[int] = frozenset()

    def part(self, words: set[str]) -> str:
        """The declarations of `words`, and those that these need, in order."""
        return "\n".join(self.texts[k] for k in sorted(self._needed(words)))

    def lacks(self, words: set[str]) -> bool:
        """Whether what declares `words` needs instructions that the processor has not."""
        return bool(self.lacking & self._needed(words))

    def _needed(self, words: set[str]) -> set[int]:
        wanted: set[int] = set()
        todo = [k for w in words for k in self.where.get(w, ())]
        while todo:
            k = todo.pop()
            if k not in wanted:
                wanted.add(k)
                todo += [j for w in _WORD.findall(self.texts[k]) for j in self.where.get(w, ())]
        return wanted


def indexed(text: str) -> Header:
    """The declarations in a preprocessed header."""
    texts, lacking = _pieces(text)
    header = Header(texts, lacking=frozenset(lacking))
    for k, piece in enumerate(texts):
        for name in _declared(piece):
            header.where.setdefault(name, []).append(k)
    return header


def _pieces(text: str) -> tuple[list[str], set[int]]:
    """Top-level declarations and macros, in order; which of them the processor lacks."""
    out: list[str] = []
    lacking: set[int] = set()
    current: list[str] = []
    depth = 0
    have, lacks = frozenset[str](), False
    for line in text.splitlines():
        if line.startswith("#define"):
            out.append(line)
        elif line.startswith(HAVE):
            have = frozenset(line.split()[1:])
        elif line in (LACKING, ENOUGH):
            lacks = line == LACKING
        elif line.strip():
            current.append(line)
            depth += line.count("{") - line.count("}")
            if depth == 0 and line.rstrip().endswith((";", "}")) and _complete(current):
                piece = "\n".join(current)
                runs = not piece.startswith(_TYPES)
                if runs and (lacks or not _sets(piece) <= have):
                    lacking.add(len(out))
                out.append(piece)
                current = []
    return out, lacking


def _sets(piece: str) -> frozenset[str]:
    """The instruction sets that a declaration's attributes name."""
    return frozenset().union(*(instruction_sets(m[1]) for m in _TARGET.finditer(piece)))


def instruction_sets(target: str) -> frozenset[str]:
    """Those of "avx512f,avx512vl" by the names that `marks` knows."""
    names = (name.strip().replace(".", "_") for name in target.split(","))
    return frozenset(n for n in names if n.startswith(_SETS))


def marks(text: str) -> list[str]:
    """A preprocessed header's lines, what its compiler may use said at the start.

    Regions that switch on other instructions by pragmas are marked where the compiler lacks them.
    """
    defined = re.findall(r"^#define __(\w+?)__ 1$", text, re.M)
    have = {d.lower() for d in defined}
    out = [HAVE + " ".join(sorted(h for h in have if h.startswith(_SETS)))]
    stack: list[bool] = [False]
    for line in text.splitlines():
        if not line.startswith("#pragma"):
            out.append(line)
            continue
        if "push_options" in line:
            stack.append(stack[-1])
        elif "pop_options" in line and len(stack) > 1:
            stack.pop()
        elif match := re.search(r'target\s*\(\s*"([^"]*)"', line):
            stack[-1] = stack[-1] or not instruction_sets(match[1]) <= have
        out.append(LACKING if stack[-1] else ENOUGH)
    return out


def _complete(lines: list[str]) -> bool:
    """Whether parentheses are closed too."""
    text = "".join(lines)
    return text.count("(") == text.count(")")


def _declared(piece: str) -> set[str]:
    """The names that a declaration brings in."""
    if piece.startswith("#define"):
        return {piece.split()[1].split("(")[0]}
    plain = _ATTRIBUTE.sub(" ", piece)
    head = plain.split("{")[0]
    if plain.lstrip().startswith(_TYPES):
        tail = plain.rsplit("}", 1)[-1] if "{" in plain else plain
        found = _WORD.findall(tail)
        inside = plain[plain.find("{") : plain.rfind("}")] if "enum" in head else ""
        return {*found[-1:], *re.findall(r"(\w+)\s*(?==|,|$)", inside), *_WORD.findall(inside)}
    called = re.search(r"(\w+)\s*\(", head)
    return {called[1]} if called else set()


__all__ = ["ENOUGH", "HAVE", "LACKING", "Header", "indexed", "instruction_sets", "marks"]
