"""Turn the text of a BANG C file into C++ that runs on the emulator's headers.

Only what C++ can't say is rewritten: launches, storage of variables in a core's memories, inline
assembly. Everything else is the user's own text on its own line.
"""

from __future__ import annotations

import re

from xpiler.platforms._simt.launches import rewrite_launches
from xpiler.platforms._simt.lexer import Edit, Token, apply, lex, match_close, next_solid
from xpiler.platforms._simt.rewrite import replace_words, standard_headers
from xpiler.platforms._simt.storage import Storage, register_globals, rewrite_storage

# The names that launches and globals are known by there.
_WORDS = {
    "__mlu_global__": "__global__",
    "__mlu_entry__": "__global__",
    "__mlu_device__": "__device__",
    "__mlu_const__": "__constant__",
}
_STORAGE = Storage(
    words={
        "__nram__": "::xp_bang::nram_slot",
        "__wram__": "::xp_bang::wram_slot",
        "__ldram__": "::xp_bang::ldram_slot",
        "__mlu_shared__": "::xp_bang::sram_slot",
    },
    file_key="::xp_bang::FileKey",
    pointees=True,
    accessors=True,
    initial=True,
)
# With one of these words a text can tell the memory core from the others, or gives it work.
_MEMORY_CORE = re.compile(
    r"\b(?:__is_mpu|__is_ipu|coreId|__mlu_shared__|\w*SRAM\w*|__sync_all|__sync_cluster|"
    r"__sync_all_mpu|\w*_sram\w*|__sramset\w*)\b"
)
_ASM = {"asm", "__asm__", "__asm"}
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def rewrite(text: str, filename: str = "unit") -> str:
    """C++ for the emulator: some lines of prelude, then the text with its own line numbers."""
    text = text.replace("\r\n", "\n")
    original = text
    text = replace_words(text, _WORDS)
    text = rewrite_launches(text)
    text = register_globals(text)
    text = rewrite_storage(text, _STORAGE)
    text = _rewrite_asm(text)
    name = filename.replace("\\", "\\\\").replace('"', '\\"')
    return f'{prelude(original)}\n#line 1 "{name}"\n{text}'


def prelude(text: str) -> str:
    """What stands before the text: does the memory core matter, and the headers."""
    matters = bool(_MEMORY_CORE.search(_COMMENT.sub(" ", text)))
    lines = [f"#define XP_BANG_MEMORY_CORE {int(matters)}", '#include "xp_bang.h"']
    lines += [f"#include <{name}>" for name in standard_headers(text)]
    return "\n".join(lines)


def _rewrite_asm(text: str) -> str:
    """`asm volatile("sync;")` is the old spelling of the full fence; other assembly is unknown."""
    if not any(word in text for word in _ASM):
        return text
    tokens = lex(text)
    edits = [e for i, t in enumerate(tokens) if t.text in _ASM and (e := _one_asm(tokens, i))]
    return apply(tokens, edits)


def _one_asm(tokens: list[Token], index: int) -> Edit | None:
    opened = next_solid(tokens, index + 1)
    while opened < len(tokens) and tokens[opened].text in {"volatile", "__volatile__"}:
        opened = next_solid(tokens, opened + 1)
    if opened >= len(tokens) or tokens[opened].text != "(":
        return None
    closed = match_close(tokens, opened)
    if closed is None:
        return None
    said = "".join(t.text.strip('"') for t in tokens[opened + 1 : closed] if t.kind == "string")
    call = "::__sync()" if re.fullmatch(r"\s*sync\s*;?\s*(\\n)?", said) else ""
    call = call if said.strip() else "(void)0"  # orders the compiler, nothing else
    quoted = said.replace("\\", "/").replace('"', "'").replace("\n", " ")
    return Edit(index, closed + 1, call or f'::xp_bang::unknown("assembly: {quoted}")')
