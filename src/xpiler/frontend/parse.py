"""Runs libclang on a text, in a child process, and gives the program that it holds.

The native parser is not trusted: it runs in a forked child with a time limit, so that its crash
or hang becomes a diagnostic. The text is parsed from memory with our own headers only.
"""

from __future__ import annotations

import os
import pickle
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.frontend.words import Words
from xpiler.ir.program import Program

TIME_LIMIT_S = 60.0
MAX_BYTES = 4 << 20
_ROOT = "/xpiler"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)


@dataclass(frozen=True)
class ReadResult:
    """A program and what there is to say about the text it came from."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Request:
    """What to parse: the text, the name that users know it by, and the settings."""

    text: str
    filename: str
    words: Words
    arch: str | None = None
    defines: Mapping[str, str] = field(default_factory=dict)
    include_dirs: tuple[str, ...] = ()
    template_args: Mapping[str, str] = field(default_factory=dict)
    uses: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The file's name inside the parser."""
        return f"{_ROOT}/{Path(self.filename).name or 'input'}"

    @property
    def folders(self) -> list[str]:
        beside = str(Path(self.filename).resolve().parent)
        return [*self.include_dirs, *([beside] if os.path.isfile(self.filename) else [])]


def read(
    text: str,
    filename: str,
    words: Words,
    *,
    arch: str | None = None,
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str] = (),
    template_args: Mapping[str, str] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> ReadResult:
    """Reads a text in the language that `words` describe.

    `template_args` gives values to the parameters of kernel templates (`T` -> `float`), for those
    that the text never instantiates. Raises XpilerError with XP0101..XP0105 when the text cannot
    be parsed at all.
    """
    request = Request(
        text,
        filename,
        words,
        arch,
        dict(defines or {}),
        tuple(include_dirs),
        dict(template_args or {}),
    )
    _check_text(request)
    if os.environ.get("XPILER_PARSE_INLINE"):
        return parse_here(request)
    answer = in_child(request, time_limit_s, parse_here)
    if isinstance(answer, ReadResult):
        return answer
    raise XpilerError(*answer)


def _check_text(request: Request) -> None:
    loc = SourceLoc(request.filename, 1)
    if "\0" in request.text:
        raise XpilerError(
            Diagnostic("XP0103", "the input is not text", loc=loc, reason="it holds NUL bytes")
        )
    if len(request.text) > MAX_BYTES:
        raise XpilerError(
            Diagnostic("XP0104", f"the input is larger than {MAX_BYTES} bytes", loc=loc)
        )


def _load_clang() -> Any:
    try:
        from clang import cindex
    except ImportError as err:
        raise XpilerError(
            Diagnostic(
                "XP0105",
                "the parser is not installed",
                reason=str(err),
                help="pip install libclang-ng",
            )
        ) from None
    return cindex


def in_child(request: Request, limit: float, work: Callable[[Request], object]) -> Any:
    """What `work` gives in a child process, or the diagnostics that it raised there.

    Raises XpilerError where the child gives no answer. Beside other threads, which may hold a lock
    that nobody would ever release in a fork, the child is a process of its own.
    """
    cindex = _load_clang()
    cindex.conf.lib  # noqa: B018  loaded once, before the fork
    if threading.active_count() > 1:
        return _result(request, *_in_new_process(request, limit, work))
    import xpiler.frontend.functions  # noqa: F401

    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _child(request, into, work)
    os.close(into)
    try:
        data, late = _collect(out, limit)
    finally:
        os.close(out)
        if not _reaped(pid):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return _result(request, data, late)


def _reaped(pid: int) -> bool:
    for _ in range(50):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.001)
    return False


def _child(request: Request, into: int, work: Callable[[Request], object]) -> None:
    """Never returns."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        view = memoryview(_answer(request, work))
        while view:
            view = view[os.write(into, view) :]
    finally:
        os._exit(0)


def _answer(request: Request, work: Callable[[Request], object]) -> bytes:
    try:
        answer = work(request)
    except XpilerError as err:
        answer = err.diagnostics
    except RecursionError:
        answer = (_crash(request, "the program nests too deeply"),)
    except BaseException as err:
        answer = (_crash(request, f"{type(err).__name__}: {err}"),)
    return pickle.dumps(answer, protocol=5)


_SERVE = "import sys; sys.path[:] = sys.argv[1:]; from xpiler.frontend.parse import serve; serve()"


def _in_new_process(
    request: Request, limit: float, work: Callable[[Request], object]
) -> tuple[bytes, bool]:
    """What `serve` answers, and whether the time ran out first."""
    given = pickle.dumps((request, work), protocol=5)
    command = [sys.executable, "-c", _SERVE, *sys.path]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return b"", True
    return done.stdout, False


def serve() -> None:
    """Answers the request on standard input on standard output."""
    request, work = pickle.load(sys.stdin.buffer)  # from `_in_new_process`
    sys.stdout.buffer.write(_answer(request, work))


def _crash(request: Request, why: str) -> Diagnostic:
    return Diagnostic("XP0101", "the text could not be read", loc=SourceLoc(request.filename, 1),
                      reason=why)  # fmt: skip


def _collect(fd: int, limit: float) -> tuple[bytes, bool]:
    """Everything the child writes, and whether the time ran out first."""
    parts: list[bytes] = []
    end = time.monotonic() + limit
    while True:
        ready, _, _ = select.select([fd], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return b"".join(parts), True
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts), False
        parts.append(part)


def _result(request: Request, data: bytes, late: bool) -> Any:
    if late:
        raise XpilerError(
            Diagnostic(
                "XP0102", "reading the text took too long", loc=SourceLoc(request.filename, 1)
            )
        )
    if not data:
        raise XpilerError(_crash(request, "the parser crashed"))
    return pickle.loads(data)


def parse_here(request: Request) -> ReadResult:
    """Parses in this process."""
    from xpiler.frontend.reading import read_unit

    return read_unit(request)
