"""What `import xpiler` offers: translate, verify, run, audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpiler.diagnostics import Diagnostic
from xpiler.pipeline import Options, Translation
from xpiler.pipeline import translate as _translate

if TYPE_CHECKING:
    from xpiler.verify.running import SourceRun
    from xpiler.verify.verdict import Verdict


def translate(
    text: str,
    to: str,
    *,
    file: str = "kernel.cu",
    models: Mapping[str, Any] | None = None,
    **options: Any,
) -> Translation:
    """Translate source text to the platform `to` and verify the result.

    `file` names the source (its suffix says the platform unless `source=` does); further keyword
    arguments are the fields of `Options`. The result's `text` is None when refused; its
    `diagnostics` say why; `verdict` how sure it is. Never raises for what the text holds.
    `models` are settings of a model (docs/models.md), e.g. `{"model": "openai:NAME"}`; raises
    XpilerError (XP15) where they are not understood.
    """
    if not models:
        return _translate(text, file, Options(target=to, **options))
    from xpiler.neural.settings import settings
    from xpiler.proposers import proposer_of
    from xpiler.proposers import translate as propose

    return propose(text, file, Options(target=to, **options), proposer_of(settings(models)))


def verify(source: str, target: str, *, file: str, target_platform: str, **options: Any) -> Verdict:
    """Run `source` and its translation `target` on the same inputs, as `xpiler verify` does.

    `file` names the source, `target_platform` says what `target` is written in.
    Raises XpilerError where the source cannot be read or nothing in it can be run.
    """
    from xpiler.verify.session import verify_pair

    return verify_pair(source, target, file, Options(target=target_platform, **options))


def run(text: str, *, file: str = "kernel.cu", checks: bool = True, **options: Any) -> SourceRun:
    """Run one source on its emulator; gives the outputs and the faults that were found.

    Without `checks` it is fast and looks for no faults.
    Raises XpilerError where the source cannot be read or nothing in it can be run.
    """
    from xpiler.verify.running import run_source

    return run_source(text, file, Options(target="c", **options), checks=checks)


def audit(text: str, *, file: str = "kernel.cu", **options: Any) -> list[Diagnostic]:
    """What is wrong with a source, found by running it under different inputs and schedules.

    Raises XpilerError where the source cannot be read or nothing in it can be run.
    """
    from xpiler.verify.running import audit_source

    return audit_source(text, file, Options(target="c", **options))


def sources(paths: Iterable[str]) -> list[Path]:
    """The kernel files among `paths`, folders searched recursively, in a stable order.

    Files whose suffix says little (`.cpp`) count in a folder that has no others.
    """
    from xpiler.platforms.registry import source_suffixes

    found: list[Path] = []
    for item in map(Path, paths):
        if item.is_dir():
            files = [f for f in sorted(item.rglob("*")) if f.is_file()]
            clear = [f for f in files if f.name.endswith(source_suffixes())]
            found += clear or [f for f in files if f.name.endswith(source_suffixes(weak=True))]
        else:
            found.append(item)
    return list(dict.fromkeys(found))


def kernels(paths: Iterable[str], origins: Collection[str] = ()) -> list[Path]:
    """The kernel files among `paths`; with `origins`, of these platforms only.

    Raises `XpilerError` (XP0106, XP0107) on a platform that is not known.
    """
    from xpiler.platforms.registry import platform, platform_of

    wanted = {platform(name).name for name in origins}
    found = sources(paths)
    return [f for f in found if platform_of(str(f)).name in wanted] if wanted else found
