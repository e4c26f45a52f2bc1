"""Which compilers are found, and how zig's own words are understood."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xpiler.diagnostics import XpilerError
from xpiler.host import compiler
from xpiler.host.compiler import toolchain, zig_header_flags, zig_link_parts


def test_first_that_works() -> None:
    found = toolchain()
    assert found.compile_command("c", ["-O1"], "a.c", "a.o")[-5:] == [
        "-O1",
        "-c",
        "a.c",
        "-o",
        "a.o",
    ]


@pytest.mark.parametrize("name", ["g++", "zig"])
def test_by_name(name: str) -> None:
    found = toolchain(name)
    assert found.family == ("gnu" if name == "g++" else "clang")
    assert found.identity


def test_the_first_linker_that_works_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[tuple[str, ...]] = []

    def links(cxx: str, flags: tuple[str, ...]) -> bool:
        tried.append(flags)
        return not flags

    path = shutil.which("g++")
    assert path is not None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiler, "_LINKERS", (("-fuse-ld=none",), ()))
    monkeypatch.setattr(compiler, "_links", links)
    first, second = compiler._probed(path), compiler._probed(path)
    assert first is not None
    assert first == second
    assert first[1] == ()
    assert tried == [("-fuse-ld=none",), ()]


def test_none_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(compiler, "_zig_path", lambda: None)
    toolchain.cache_clear()
    try:
        with pytest.raises(XpilerError) as caught:
            toolchain()
    finally:
        toolchain.cache_clear()
    assert caught.value.diagnostics[0].code == "XP0604"


def test_falls_back_to_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    toolchain.cache_clear()
    try:
        assert toolchain().name.startswith("zig")
    finally:
        toolchain.cache_clear()


TOLD = """clang version 22
 (in-process)
 "/x/zig" -cc1 -triple x -isystem /x/lib/include -isystem /x/libc -D __GLIBC_MINOR__=28 -O2 a.c
ar rcs /c/libcompiler_rt.a /c/compiler_rt.o
ld.lld --shared -o /c/libm.so.6 /c/m.o
ld.lld --entry _start -znow -m elf_x86_64 -o probe /c/crt1.o --dynamic-linker /ld.so /c/a.o \
/c/libubsan_rt.a --as-needed /c/libc.so.6
"""


def test_zig_header_flags() -> None:
    assert zig_header_flags(TOLD) == (
        "-isystem", "/x/lib/include", "-isystem", "/x/libc", "-D", "__GLIBC_MINOR__=28",
    )  # fmt: skip


def test_zig_link_parts() -> None:
    start, end = zig_link_parts(TOLD)
    assert start[-3:] == ("/c/crt1.o", "--dynamic-linker", "/ld.so")
    assert "-o" not in start
    assert end == ("--as-needed", "/c/libc.so.6")
    assert zig_link_parts("nothing of use") == ((), ())
