"""The cache folder: where it is, and that it stays within its bounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpiler.host.cache import cache_dir, content_key, store, trim


def test_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir("things") == tmp_path / "xpiler" / "things"


def test_a_place_is_found_where_home_is_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert os.access(cache_dir("things"), os.W_OK)


def test_keys_tell_parts_apart() -> None:
    assert content_key(["ab", "c"]) != content_key(["a", "bc"])
    assert content_key(["ab", b"c"]) == content_key(["ab", "c"])


def test_trim_keeps_what_was_used_last(tmp_path: Path) -> None:
    for i in range(4):
        os.utime(store(tmp_path / str(i), b"x" * 100), (i, i))
    trim(tmp_path, 250)
    assert sorted(os.listdir(tmp_path)) == ["2", "3"]


def test_a_program_that_somebody_may_be_starting_stays(tmp_path: Path) -> None:
    program = store(tmp_path / "p", b"#!/bin/true", executable=True)
    before = program.stat().st_ino
    assert store(tmp_path / "p", b"#!/bin/true", executable=True).stat().st_ino == before
    assert os.access(program, os.X_OK)
    assert os.listdir(tmp_path) == ["p"]
    assert store(tmp_path / "text", b"a") == store(tmp_path / "text", b"b")
    assert (tmp_path / "text").read_bytes() == b"b"
