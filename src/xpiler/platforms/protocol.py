"""What a platform's folder tells the rest of the house."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from xpiler.host.compiler import Toolchain

_FOLDER = Path(__file__).parent


def _unchanged(text: str, filename: str) -> str:
    return f'#line 1 "{filename}"\n{text}'


def _no_preface(text: str, tools: Toolchain) -> tuple[str, tuple[str, ...]]:
    return "", ()


def _no_defines(arch: str | None) -> tuple[str, ...]:
    return ()


def _width_32(arch: str | None) -> int:
    return 32


def _not_modelled(text: str, tools: Toolchain) -> str:
    return ""


def _no_variant(text: str, filename: str) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class EmulatorSpec:
    """How a platform's text becomes a program that runs on this machine.

    `rewrite(text, filename)` gives C or C++ that the headers in `include_dirs` complete; it opens
    with whatever it needs before the text and then a `#line` directive, and each line of the text
    keeps its number. `library` lists C++ sources (or folders of them) that are linked in.
    `scalar_types` spells types of scalar arguments where they differ from C's (IR name to C name).
    `preface(text, tools)` gives text of the compiler's to stand in front, and flags for it.
    `modelled(text, tools)` names what of a text runs in software for want of the real thing.
    `defines(arch)` and `warp_width(arch)` say what depends on the chip; `shared_limit` is what a
    block may have at most, in bytes (0: no limit). `launcher` is the C++ namespace whose `launch`
    and `launch_cooperative` start a kernel for the driver. `variant(text, filename)` gives the
    fields that are other ones for a certain text (C++ where kernels are C as a rule).
    """

    platform: str
    language: Literal["c", "c++"]
    standard: str
    include_dirs: tuple[Path, ...] = ()
    library: tuple[Path, ...] = ()
    rewrite: Callable[[str, str], str] = _unchanged
    defines: Callable[[str | None], tuple[str, ...]] = _no_defines
    warp_width: Callable[[str | None], int] = _width_32
    shared_limit: int = 0
    extra_flags: tuple[str, ...] = field(default=())
    preface: Callable[[str, Toolchain], tuple[str, tuple[str, ...]]] = _no_preface
    modelled: Callable[[str, Toolchain], str] = _not_modelled
    scalar_types: Mapping[str, str] = field(default_factory=dict)
    launcher: str = "xprt"
    variant: Callable[[str, str], Mapping[str, Any]] = _no_variant

    def of_text(self, text: str, filename: str) -> EmulatorSpec:
        """The emulator for one text."""
        changed = self.variant(text, filename)
        return replace(self, **changed) if changed else self


_registered: dict[str, EmulatorSpec] = {}


def register_emulator(spec: EmulatorSpec) -> None:
    """Announce the emulator of a platform whose folder lies outside this package."""
    _registered[spec.platform] = spec


def emulator_in(folder: Path) -> EmulatorSpec:
    """`EMULATOR` of the `emulation.py` in a folder outside this package."""
    name = f"xpiler_emulation_{folder.name}"
    found = importlib.util.spec_from_file_location(name, folder / "emulation.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    spec: EmulatorSpec = module.EMULATOR
    return spec


def emulator_of(platform: str) -> EmulatorSpec:
    """The emulator of `platform`: a registered one, or `EMULATOR` of its folder's `emulation.py`.

    Raises LookupError where the platform has none.
    """
    if platform in _registered:
        return _registered[platform]
    try:
        module = importlib.import_module(f"xpiler.platforms.{platform}.emulation")
    except ModuleNotFoundError as error:
        raise LookupError(f"platform {platform} has no emulator") from error
    spec: EmulatorSpec = module.EMULATOR
    return spec


RUNTIME_FOLDER = _FOLDER / "_runtime"
"""The emulators' common core in C++: `xprt.h` and what stands behind it."""
