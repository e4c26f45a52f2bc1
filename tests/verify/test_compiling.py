"""The real compilers' part of a verdict."""

from __future__ import annotations

import dataclasses

import pytest

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.platforms.toolchains import CompileReport, ToolchainSpec
from xpiler.verify import compiling
from xpiler.verify.verdict import Verdict

TESTED = Verdict("verified", "tested", runs=3)
FAULT = Diagnostic("XP0612", "no such name", loc=SourceLoc("the translation", 7))


def judged(monkeypatch: pytest.MonkeyPatch, tool: str, *reports: CompileReport) -> Verdict:
    spec = ToolchainSpec("made", ("a1", "a2"), lambda: tool, lambda *_: reports, "a package")
    monkeypatch.setattr(compiling, "toolchain_of", lambda _: spec)
    monkeypatch.setattr(compiling, "compile_check", lambda *_, **__: reports)
    return compiling.RealCompile("made", "text").judge(TESTED)


def test_the_tool_and_its_architectures_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    good = [CompileReport("cc 1", arch, True) for arch in ("a1", "a2")]
    verdict = judged(monkeypatch, "cc 1", *good)
    assert verdict.ok
    assert "compiled by cc 1 for a1, a2" in verdict.render()


def test_what_does_not_compile_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [CompileReport("cc 1", arch, False, (FAULT,)) for arch in ("a1", "a2")]
    verdict = judged(monkeypatch, "cc 1", *bad)
    assert not verdict.ok
    assert verdict.code == "XP0612"
    assert "line 7: no such name" in verdict.reason


def test_a_second_architecture_may_lack_an_instruction(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = CompileReport("cc 1", "a1", True), CompileReport("cc 1", "a2", False, (FAULT,))
    verdict = judged(monkeypatch, "cc 1", *mixed)
    assert verdict.ok
    assert verdict.compiled_by == ("cc 1 for a1",)
    assert any("a2" in note for note in verdict.notes)


def test_without_the_tool_the_verdict_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judged(monkeypatch, "")
    assert verdict.ok
    assert verdict.compiled_by == ()
    assert any("a package" in note for note in verdict.notes)


def test_a_tool_that_cannot_be_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise XpilerError(Diagnostic("XP0613", "it was stopped", reason="time"))

    monkeypatch.setattr(compiling, "compile_check", broken)
    spec = ToolchainSpec("made", ("a1",), lambda: "cc 1", lambda *_: (), "")
    monkeypatch.setattr(compiling, "toolchain_of", lambda _: spec)
    verdict = compiling.RealCompile("made", "text").judge(TESTED)
    assert verdict.ok
    assert any("XP0613" in note for note in verdict.notes)


def test_a_wrong_translation_stays_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ToolchainSpec("made", ("a1",), lambda: "cc 1", lambda *_: (), "")
    monkeypatch.setattr(compiling, "toolchain_of", lambda _: spec)
    bad = (CompileReport("cc 1", "a1", False, (FAULT,)),)
    monkeypatch.setattr(compiling, "compile_check", lambda *_, **__: bad)
    wrong = dataclasses.replace(TESTED, outcome="wrong", code="XP0701", reason="C[0]")
    assert compiling.RealCompile("made", "text").judge(wrong).code == "XP0701"
