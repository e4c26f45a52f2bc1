"""Prompts and answers as files: a patient friend, and files that are no answers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xpiler.neural.exchange import Exchange
from xpiler.neural.provider import Message, ModelFault, Request

QUESTION = Request((Message("user", "a program, please"),), topic="loop bind a.cu to hip")


def answered(folder: Path, write: Callable[[Path], object], seconds: float = 5.0) -> str:
    """What `ask` gives when somebody does `write` as soon as the prompt is there."""

    def friend() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for prompt in folder.glob("*.prompt.md"):
                write(prompt.with_name(prompt.name.replace(".prompt.", ".answer.")))
                return
            time.sleep(0.02)

    thread = threading.Thread(target=friend)
    thread.start()
    try:
        return Exchange(folder).ask(QUESTION, seconds).text
    finally:
        thread.join()


def whole(path: Path, text: str) -> None:
    """A complete file, as of a while ago."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.utime(new, (time.time() - 10,) * 2)
    new.rename(path)


def test_answer_comes_as_a_file(tmp_path: Path) -> None:
    assert answered(tmp_path, lambda p: whole(p, "int x;")) == "int x;"
    prompt = next(tmp_path.glob("loop-bind-a-cu-to-hip-*.prompt.md")).read_text()
    assert "a program, please" in prompt


def test_an_answer_that_is_there_is_taken_at_once(tmp_path: Path) -> None:
    answered(tmp_path, lambda p: whole(p, "int x;"))
    assert Exchange(tmp_path).ask(QUESTION, 0.0).text == "int x;"


def test_an_answer_that_still_grows_is_not_taken_early(tmp_path: Path) -> None:
    def slowly(path: Path) -> None:
        with path.open("w") as file:
            for part in ("int ", "x", ";"):
                file.write(part)
                file.flush()
                time.sleep(0.1)

    assert answered(tmp_path, slowly) == "int x;"


def test_no_answer_in_time(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="did not come"):
        Exchange(tmp_path, wait=0.2).ask(QUESTION, 60)


def _link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def _bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize("write", [_link, _pipe, _huge, _bytes])
def test_files_that_are_no_answers(tmp_path: Path, write: Callable[[Path], None]) -> None:
    with pytest.raises(ModelFault, match=r"broken answer|too long"):
        answered(tmp_path, write)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFault, match="cannot be written"):
        Exchange(tmp_path / "file").ask(QUESTION, 1)
