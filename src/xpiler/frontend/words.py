"""A platform's words for the front end: spellings and what they mean, read from TOML tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xpiler.ir.types import Scalar, Type, Vector

_INSTR = re.compile(
    r"^(?:(?P<outs>[^<]*)<-\s*)?(?P<name>[\w.*]+)\((?P<ins>[^)]*)\)(?P<attrs>(?:\s+\w+=\S+)*)$"
)


@dataclass(frozen=True, slots=True)
class MathWord:
    """A spelling of a neutral function. `fast`: the approximate form; `only`: operand kinds."""

    func: str
    fast: bool = False
    only: str = ""


@dataclass(frozen=True, slots=True)
class InstrWord:
    """A spelling of an instruction: which arguments it writes, which it reads.

    Items: `@` the value of the call, `0` an argument, `*0` what a pointer argument points to,
    `&0` the address of an argument, `1+` an argument and all after it, `@?` the value if wanted,
    `~` the mask of all lanes, `=4` a constant. Attribute values: text, or `$0` for the name of
    the constant given as an argument.
    """

    name: str
    outs: tuple[str, ...]
    ins: tuple[str, ...]
    attrs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Words:
    """Everything that the front end knows of a platform; the core asks nothing else.

    `clang` are the arguments for the parser (`clang_for`: others, by suffix of the file), `stubs`
    the folders of its headers, `prelude` the header read before the user's text, `headers` the
    include names that the stubs stand for (name -> stub file, "" where the prelude suffices),
    `implied` those that a text without any include needs where a pattern occurs in it.
    `types` maps record names to IR types,
    `opaque` the handles of the host API, `status` the types whose value always means success,
    `fixed` the records that always hold their default values (properties of a device),
    `owners` the class templates that own host memory (`std::vector`),
    `spellings` how the user writes types that the parser names otherwise,
    `values` the variables that a function of the header computes (task numbers). `launch` says
    what `<<<...>>>` holds: `grid` (grid, block, ...) or `tasks` (tasks, cores of a group, queue).
    """

    platform: str
    clang: tuple[str, ...] = ()
    clang_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stubs: tuple[str, ...] = ()
    prelude: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, Type] = field(default_factory=dict)
    opaque: Mapping[str, str] = field(default_factory=dict)
    status: frozenset[str] = frozenset()
    fragments: Mapping[str, str] = field(default_factory=dict)
    math: Mapping[str, MathWord] = field(default_factory=dict)
    bits: frozenset[str] = frozenset()
    instr: Mapping[str, InstrWord] = field(default_factory=dict)
    instr_prefix: Mapping[str, InstrWord] = field(default_factory=dict)
    same_as: Mapping[str, str] = field(default_factory=dict)
    nothing: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    spellings: Mapping[str, str] = field(default_factory=dict)
    axes: Mapping[str, str] = field(default_factory=dict)
    axis_calls: Mapping[str, str] = field(default_factory=dict)
    host_none: frozenset[str] = frozenset()
    launch_calls: Mapping[str, str] = field(default_factory=dict)
    inert: frozenset[str] = frozenset()
    waves: Mapping[str, int] = field(default_factory=dict)
    arch_macros: Mapping[str, str] = field(default_factory=dict)
    default_arch: str = ""
    lanes: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    launch: str = "grid"
    memory_core: Mapping[str, str] = field(default_factory=dict)

    def instruction(self, name: str) -> InstrWord | None:
        """The instruction that a function name stands for."""
        if name in self.instr:
            return self.instr[name]
        for prefix, word in self.instr_prefix.items():
            if name.startswith(prefix):
                return replace(word, name=word.name.replace("*", name.removeprefix(prefix)))
        return None

    def wave(self, arch: str | None) -> int:
        """Lanes in a warp of `arch`: the entry of its longest matching prefix ("" matches all)."""
        name = arch or self.default_arch
        known = [p for p in self.waves if name.startswith(p)]
        return self.waves[max(known, key=len)] if known else 1


def ir_type(text: str) -> Type:
    """The scalar or vector type of its IR text: `f32`, `f32x4`; raises ValueError."""
    match = re.fullmatch(r"(void|bool|b?f\d+|[iu]\d+)(?:x(\d+))?", text)
    if not match:
        raise ValueError(f"no type {text!r}")
    elem = Scalar(match[1])  # type: ignore[arg-type]
    return Vector(elem, int(match[2])) if match[2] else elem


def _items(text: str | None) -> tuple[str, ...]:
    return tuple(w.strip() for w in (text or "").split(",") if w.strip())


def instr_word(text: str) -> InstrWord:
    """Reads `@ <- warp.shfl(0, 1, 2, 3)`; raises ValueError."""
    match = _INSTR.match(text.strip())
    if not match:
        raise ValueError(f"bad instruction notation {text!r}")
    attrs = tuple(tuple(a.split("=", 1)) for a in match["attrs"].split())
    return InstrWord(match["name"], _items(match["outs"]), _items(match["ins"]), attrs)


def math_word(text: str) -> MathWord:
    """Reads `exp`, `exp fast`, `max integer`."""
    func, *flags = text.split()
    only = next((f for f in flags if f != "fast"), "")
    return MathWord(func, "fast" in flags, only)


def _merged(tables: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for table in tables:
        value = table.get(key, {})
        out |= dict.fromkeys(value, "") if isinstance(value, list) else value
    return out


def words_from(platform: str, tables: Sequence[Mapping[str, Any]], stubs: tuple[str, ...]) -> Words:
    """The words of a platform from its tables; later tables add to and override earlier ones."""
    t = {k: _merged(tables, k) for k in ("headers", "types", "opaque", "status", "math", "bits")}
    t |= {k: _merged(tables, k) for k in ("instr", "axes", "axis_calls", "host_none", "inert")}
    t |= {k: _merged(tables, k) for k in ("launch_calls", "waves", "arch_macros", "fragments")}
    t |= {
        k: _merged(tables, k)
        for k in ("instr_prefix", "same_as", "nothing", "fixed", "owners", "spellings", "values")
    }
    front = _merged(tables, "frontend")
    return Words(
        platform=platform,
        clang=tuple(front.get("clang", ())),
        clang_for={k: tuple(v) for k, v in front.get("clang_for", {}).items()},
        stubs=stubs,
        prelude=front.get("prelude", ""),
        headers=t["headers"],
        implied=_merged(tables, "implied"),
        types={k: ir_type(v) for k, v in t["types"].items()},
        opaque=t["opaque"],
        status=frozenset(t["status"]),
        fragments=t["fragments"],
        math={k: math_word(v) for k, v in t["math"].items()},
        bits=frozenset(t["bits"]),
        instr={k: instr_word(v) for k, v in t["instr"].items()},
        instr_prefix={k: instr_word(v) for k, v in t["instr_prefix"].items()},
        same_as=t["same_as"],
        nothing=frozenset(t["nothing"]),
        fixed=frozenset(t["fixed"]),
        owners=frozenset(t["owners"]),
        spellings=t["spellings"],
        axes=t["axes"],
        axis_calls=t["axis_calls"],
        host_none=frozenset(t["host_none"]),
        launch_calls=t["launch_calls"],
        inert=frozenset(t["inert"]),
        waves=t["waves"],
        arch_macros=t["arch_macros"],
        default_arch=front.get("default_arch", ""),
        lanes=front.get("lanes", False),
        values=t["values"],
        launch=front.get("launch", "grid"),
        memory_core=_merged(tables, "memory_core"),
    )
