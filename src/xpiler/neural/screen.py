"""What of a model's answer is a program, and whether that may be handed to a compiler at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_CHARACTERS = 1 << 20
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.M | re.S)
_DIRECTIVE = re.compile(r"^[ \t]*(?:#|%:|\?\?=)[ \t]*([A-Za-z_]\w*)?(.*)$", re.M)
_INCLUDED = re.compile(r'[ \t]*(?:<([^<>"\n]+)>|"([^<>"\n]+)")[ \t]*$')
_READS = ("include", "include_next", "import", "embed", "line")
_ASSEMBLY = re.compile(r"\.\s*inc(?:bin|lude)\b", re.I)
_PRAGMA = re.compile(r"(?:#|%:|_Pragma)[^\n]*\b(?:dependency|pch_preprocess|include_alias)\b")


@dataclass(frozen=True, slots=True)
class Screened:
    """The program of an answer, or (`text` "") why there is none to be had."""

    text: str
    why: str = ""


def screen(answer: str, headers: Iterable[str], given: Sequence[str] = ()) -> Screened:
    """The program in `answer`, if it keeps to what a program for this platform includes.

    `headers` are the platform's own; `given` are texts whose includes may be repeated. A text is
    not looked at by a compiler before this: including reads files, and what a compiler says about
    them would go back to the model.
    """
    text = program_of(answer)
    if not text.strip():
        return Screened("", "the answer holds no program")
    if len(text) > MAX_CHARACTERS:
        return Screened("", f"the program has more than {MAX_CHARACTERS} characters")
    if any(ord(c) < 32 and c not in "\t\n\r\f" for c in text):
        return Screened("", "the program holds control characters")
    allowed = set(headers).union(*(_names(t) for t in given)) if given else set(headers)
    why = _directives(text, allowed)
    return Screened("", why) if why else Screened(text)


def program_of(answer: str) -> str:
    """The longest fenced block of an answer; all of it where there is no fence.

    A fence that is never closed holds what follows it.
    """
    text = answer.replace("\r\n", "\n")
    blocks = [m[2] for m in _FENCE.finditer(text)]
    if blocks:
        return max(blocks, key=len)
    opened = re.search(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*\n", text, re.M)
    return text[opened.end() :] if opened else text


def _names(text: str) -> set[str]:
    found = (_INCLUDED.match(m[2]) for m in _DIRECTIVE.finditer(text) if m[1] == "include")
    return {str(m[1] or m[2]) for m in found if m}


def _directives(text: str, allowed: set[str]) -> str:
    """Why a directive of `text` is not let through; "" when all are."""
    joined = re.sub(r"(?:\\|\?\?/)[ \t]*\n", "", text)  # lines that a backslash continues
    bare = re.sub(r"/\*.*?\*/", " ", joined, flags=re.S)
    for version in (joined, bare):
        for m in _DIRECTIVE.finditer(version):
            name, rest = m[1] or "", m[2]
            if name == "line" or (not name and rest.strip()[:1].isdigit()):
                return "#line is not allowed"
            if name in _READS:
                rest = re.sub(r"//.*$", "", rest)
                found = _INCLUDED.match(rest) if name == "include" else None
                if found is None or (found[1] or found[2]) not in allowed:
                    return f"#{name}{rest.rstrip()[:60]} is not one of the platform's headers"
        if re.search(r"__has_(?:include|embed)", version):
            return "asking which files there are is not allowed"
        if _PRAGMA.search(version):
            return "a pragma that reads files is not allowed"
        if _ASSEMBLY.search(version):
            return "assembly that reads files is not allowed"
    return ""
