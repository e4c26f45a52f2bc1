"""Loads and stores of vectors say what they touch: a macro of each one's own name looks first.

The instrumentation sees neither lanes under a mask nor how far a register reaches into a local
array; in software it does not see either that an address has to be aligned.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(
    r"_mm(?P<w>256|512|)_(?P<form>mask_|maskz_)?"
    r"(?P<what>stream_load|lddqu|loadu|load|storeu|store|stream)_"
    r"(?P<elem>ps|pd|ph|epi8|epi16|epi32|epi64|si128|si256|si512)$"
)
_SPREAD = re.compile(
    r"_mm512_(?P<form>mask_)?i(?P<index>32|64)(?P<what>gather|scatter)_(?P<elem>ps|pd|epi32|epi64)$"
)
_PACKED = re.compile(r"_mm512_mask_compressstoreu_(?P<elem>ps|pd|epi32|epi64)$")
_NARROWED = re.compile(
    r"_mm(?P<w>256|512)?_mask_cvt(?:us|s)?epi(?P<from>16|32|64)_storeu_epi(?P<to>8|16|32)$"
)
_BITS = {"ps": 32, "pd": 64, "ph": 16, "epi8": 8, "epi16": 16, "epi32": 32, "epi64": 64}
_ALIGNED = ("stream_load", "load", "store", "stream")
_LOOK = """#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#ifdef __cplusplus
#define __auto_type auto
extern "C" {
#endif
void __tsan_read1(void *); void __tsan_read2(void *);
void __tsan_read4(void *); void __tsan_read8(void *);
void __tsan_write1(void *); void __tsan_write2(void *);
void __tsan_write4(void *); void __tsan_write8(void *);
void xp_aligned(const void *, __SIZE_TYPE__, int) __asm__("_ZN4xprt7alignedEPKvmi");
void xp_within(const void *, __SIZE_TYPE__, __SIZE_TYPE__, int) __asm__("_ZN4xprt6withinEPKvmmi");
#ifdef __cplusplus
}
#endif
"""


def watched(words: set[str], *, software: bool = False) -> str:
    """Macros for those of `words` that touch memory; `software`: as functions of plain C."""
    native = ((_SPREAD, _scattered), (_PACKED, _compressed), (_NARROWED, _narrowed))
    found = [_whole(m, software) for w in sorted(words) if (m := _WHOLE.match(w))]
    for pattern, announced in () if software else native:
        found += [announced(m) for w in sorted(words) if (m := pattern.match(w))]
    return f"{_LOOK}{''.join(found)}#endif\n" if found else ""


def _macro(name: str, order: tuple[str, ...], announce: str, last: str = "") -> str:
    """A macro of the intrinsic's own name that runs `announce` first."""
    given = ", ".join((*(f"x_{x}" for x in order), *((last,) if last else ())))
    keep = " ".join(f"__auto_type {x}_ = (x_{x});" for x in order)
    values = ", ".join((*(f"{x}_" for x in order), *((f"({last})",) if last else ())))
    return f"#define {name}({given}) __extension__({{ {keep} {announce} {name}({values}); }})\n"


def _whole(m: re.Match[str], software: bool) -> str:
    """A register's worth of neighbours, perhaps under a mask."""
    width, size = int(m["w"] or 128) // 8, _BITS.get(m["elem"], 8) // 8
    stores = m["what"].startswith("st") and m["what"] != "stream_load"
    orders = {
        (True, None): ("p", "a"), (True, "mask_"): ("p", "k", "a"),
        (False, None): ("p",), (False, "mask_"): ("src", "k", "p"), (False, "maskz_"): ("k", "p"),
    }  # fmt: skip
    order = orders[stores, m["form"]]
    looks = []
    if software and m["what"] in _ALIGNED:
        looks.append(f"xp_aligned(p_, {width}, 0);")
    if "k" in order:
        reach = f"k_ ? {size} * (64 - __builtin_clzll((unsigned long long)(k_))) : 0"
    else:
        reach = str(width)
    looks.append(f"xp_within(p_, __builtin_dynamic_object_size(p_, 0), {reach}, 0);")
    if "k" in order and not software:
        looks.append(
            f"for (int i_ = 0; i_ < {width // size}; i_++) if ((unsigned long long)(k_) >> i_ & 1) "
            f"__tsan_{'write' if stores else 'read'}{size}((char *)(p_) + {size} * i_);"
        )
    return _macro(m[0], order, " ".join(looks))


def _narrowed(m: re.Match[str]) -> str:
    """A store of lanes made narrow: as many as the register has of the wide ones."""
    lanes, size = int(m["w"] or 128) // int(m["from"]), int(m["to"]) // 8
    announce = (
        f"for (int i_ = 0; i_ < {lanes}; i_++) if ((unsigned long long)(k_) >> i_ & 1) "
        f"__tsan_write{size}((char *)(p_) + {size} * i_);"
    )
    return _macro(m[0], ("p", "k", "a"), announce)


def _scattered(m: re.Match[str]) -> str:
    size, index = _BITS[m["elem"]] // 8, int(m["index"])
    lanes = min(64 // size, 512 // index)
    scatter = m["what"] == "scatter"
    if scatter:
        order: tuple[str, ...] = ("p", "k", "at", "a") if m["form"] else ("p", "at", "a")
    else:
        order = ("src", "k", "at", "p") if m["form"] else ("at", "p")
    on = "(k_ >> i_ & 1)" if m["form"] else "1"
    kind = "int" if index == 32 else "long long"
    announce = (
        f"{kind} each_[{lanes}]; __builtin_memcpy(each_, &at_, sizeof each_); "
        f"for (int i_ = 0; i_ < {lanes}; i_++) if ({on}) "
        f"__tsan_{'write' if scatter else 'read'}{size}"
        f"((char *)(p_) + (long long)each_[i_] * (scale_));"
    )
    return _macro(m[0], order, announce, "scale_")


def _compressed(m: re.Match[str]) -> str:
    size = _BITS[m["elem"]] // 8
    announce = (
        f"for (int i_ = 0; i_ < __builtin_popcount(k_); i_++) "
        f"__tsan_write{size}((char *)(p_) + {size} * i_);"
    )
    return _macro(m[0], ("p", "k", "a"), announce)
