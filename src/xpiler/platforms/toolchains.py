"""Real compilers of the platforms: what they say of a text, on a machine without the device."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.host.cache import cache_dir, content_key, store


@dataclass(frozen=True, slots=True)
class KernelUse:
    """What one kernel takes on one architecture, as the compiler says.

    `registers` for each thread, `shared_bytes` (static) for each block, `spill_bytes` of local
    memory for each thread; `matrix` counts matrix instructions where the compiler shows them.
    """

    registers: int = 0
    shared_bytes: int = 0
    spill_bytes: int = 0
    matrix: int = 0


@dataclass(frozen=True, slots=True)
class CompileReport:
    """The answer of one compiler for one architecture; `messages` are errors and warnings."""

    tool: str
    arch: str
    ok: bool
    messages: tuple[Diagnostic, ...] = ()
    kernels: Mapping[str, KernelUse] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.messages if d.severity == "warning")


@dataclass(frozen=True, slots=True)
class ToolchainSpec:
    """A platform's compiler that makes machine code on a machine without the device.

    `tool()` names it with its version ("" where it is not installed), `hint` says how to get it.
    `archs` are compiled for by default; `second(text, arch)` asks another, slower compiler.
    `compile(text, archs, filename)` gives one report an architecture; it raises XpilerError only
    where the machine fails (XP08). `format` changes when the answers kept so far are void.
    """

    platform: str
    archs: tuple[str, ...]
    tool: Callable[[], str]
    compile: Callable[[str, tuple[str, ...], str], tuple[CompileReport, ...]]
    hint: str = ""
    format: str = "5"
    second: Callable[[str, str], CompileReport | None] | None = None


_registered: dict[str, ToolchainSpec] = {}


def register_toolchain(spec: ToolchainSpec) -> None:
    """Announce the compiler of a platform whose folder lies outside this package."""
    _registered[spec.platform] = spec


def toolchain_of(platform: str) -> ToolchainSpec | None:
    """The platform's compiler: a registered one, or `TOOLCHAIN` of its folder's `toolchain.py`.

    None where it has none.
    """
    return _registered[platform] if platform in _registered else _own(platform)


@cache
def _own(platform: str) -> ToolchainSpec | None:
    name = f"xpiler.platforms.{platform}.toolchain"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as why:
        if why.name not in (name, name.rpartition(".")[0]):
            raise
        return None
    spec: ToolchainSpec = module.TOOLCHAIN
    return spec


def compile_check(
    text: str, platform: str, *, archs: tuple[str, ...] = (), filename: str = "unit"
) -> tuple[CompileReport, ...]:
    """What the platform's real compiler says of `text`; () where there is none here.

    Answers are kept, by content. Raises XpilerError (XP08) where the machine fails.
    """
    spec = toolchain_of(platform)
    tool = spec.tool() if spec is not None else ""
    if spec is None or not tool:
        return ()
    wanted = archs or spec.archs
    key = content_key(("1", spec.format, tool, platform, filename, *wanted, text))
    kept = cache_dir("compiled") / f"{key}.json"
    if kept.is_file():
        return tuple(_loaded(row) for row in json.loads(kept.read_text(encoding="utf-8")))
    reports = spec.compile(text, wanted, filename)
    store(kept, json.dumps([asdict(r) for r in reports]).encode())
    return reports


def second_opinion(text: str, platform: str) -> CompileReport | None:
    """Another compiler's answer for the first architecture; None where there is none."""
    spec = toolchain_of(platform)
    return spec.second(text, spec.archs[0]) if spec is not None and spec.second else None


def _loaded(row: dict[str, object]) -> CompileReport:
    data = dict(row)
    messages = tuple(_diagnostic(d) for d in data.pop("messages"))  # type: ignore[attr-defined]
    kernels = {k: KernelUse(**v) for k, v in data.pop("kernels").items()}  # type: ignore[attr-defined]
    return CompileReport(**data, messages=messages, kernels=kernels)  # type: ignore[arg-type]


def _diagnostic(row: dict[str, object]) -> Diagnostic:
    data = dict(row)
    loc = data.pop("loc")
    made = Diagnostic(**data)  # type: ignore[arg-type]
    return replace(made, loc=SourceLoc(**loc) if isinstance(loc, dict) else None)
