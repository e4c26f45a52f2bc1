"""Run compilers on untrusted text, and what they made of it, where neither can do harm.

A confined child has no network, reads only the paths it was given and the system's libraries,
writes only its own folder, and is bounded in time, memory, files and processes. Landlock guards
files, a seccomp filter guards everything else; both work for an ordinary user and for root.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import math
import os
import selectors
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.host.jail import landlock
from xpiler.host.jail.syscalls import this_machine
from xpiler.host.launcher import LAUNCHER

Policy = Literal["required", "off"]
KilledBy = Literal["time", "memory", "files", "processes", "output"]

_policy: contextvars.ContextVar[Policy] = contextvars.ContextVar("sandbox", default="required")
_GRACE_SECONDS = 10.0
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child, with all its descendants, may use.

    `seconds` is wall time, `cpu_seconds` processor time of any one process (None: twice `seconds`),
    `memory_bytes` resident memory of all of them, looked at every few hundredths of a second;
    `address_bytes` address space of each (None: unbounded, for programs that map much and touch
    little); `file_bytes` one file, `disk_bytes` and `disk_entries` all that is written;
    `output_bytes` standard output and error, each.
    """

    seconds: float = 10.0
    cpu_seconds: float | None = None
    memory_bytes: int = 2 << 30
    address_bytes: int | None = None
    stack_bytes: int | None = None
    file_bytes: int = 512 << 20
    disk_bytes: int = 1 << 30
    disk_entries: int = 20_000
    open_files: int = 256
    processes: int = 64
    output_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a child ended. `returncode` is negative for a signal; `killed_by` names the limit."""

    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    killed_by: KilledBy | None = None
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SandboxReport:
    """What this machine offers; `isolated` says whether untrusted text can be run at all."""

    landlock_abi: int
    isolated: bool
    reason: str = ""

    def summary(self) -> str:
        """One line for `xpiler doctor`."""
        if not self.isolated:
            return f"not available: {self.reason}"
        return f"Landlock version {self.landlock_abi} for files, seccomp for network and processes"


@contextlib.contextmanager
def sandbox_policy(policy: Policy) -> Iterator[None]:
    """Within the block (and this context, not other threads) children run under `policy`."""
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


def current_policy() -> Policy:
    """The policy that `run_sandboxed` uses where its caller names none."""
    return _policy.get()


def _isolation_missing(why: str) -> XpilerError:
    return XpilerError(
        Diagnostic(
            "XP0801",
            "this machine cannot isolate the programs that have to be compiled and run",
            reason=why,
            help="pass --no-sandbox to run them with your own rights, if you trust the text",
        )
    )


def _cannot_start(argv: Sequence[str], why: str) -> XpilerError:
    message = f"cannot start {argv[0] if argv else 'an empty command'}"
    return XpilerError(Diagnostic("XP0802", message, reason=why))


def _launcher_lost(why: str) -> XpilerError:
    message = "the process that starts confined programs does not answer"
    return XpilerError(Diagnostic("XP0803", message, reason=why))


@cache
def capabilities() -> SandboxReport:
    """Try the walls on a child that does nothing; the answer is kept for this process."""
    version = landlock.abi()
    if this_machine() is None:
        return SandboxReport(
            version, False, "the system call numbers of this processor are unknown"
        )
    if version == 0:
        return SandboxReport(0, False, "the kernel has no Landlock (Linux 5.13 or newer has it)")
    try:
        with tempfile.TemporaryDirectory(prefix="xpiler-") as folder:
            run_sandboxed(
                ["/bin/true"], read_paths=(), write_dir=Path(folder), limits=Limits(),
                policy="required",
            )  # fmt: skip
    except XpilerError as error:
        return SandboxReport(version, False, error.diagnostics[0].reason)
    return SandboxReport(version, True)


def _environment(write_dir: Path, extra: Mapping[str, str]) -> dict[str, str]:
    folder = str(write_dir)
    clean = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LC_ALL": "C",
    }
    return clean | dict(extra)


def _limits_on_the_wire(limits: Limits) -> dict[str, Any]:
    cpu = limits.cpu_seconds if limits.cpu_seconds is not None else 2 * limits.seconds
    return asdict(limits) | {"cpu_seconds": max(1, math.ceil(cpu))}


def _memory_file(content: bytes) -> int:
    handle = os.memfd_create("xpiler-stdin")
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


@dataclass
class _Conversation:
    """Collects a child's two streams and its outcome; tells it to stop when it floods."""

    report: socket.socket
    ends: dict[int, bytearray]
    limit: int
    told: bytearray = field(default_factory=bytearray)
    stopped: bool = False

    def run(self, seconds: float) -> None:
        """Until the outcome is here and both streams are at their end, or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for handle in (self.report.fileno(), *self.ends):
                selector.register(handle, selectors.EVENT_READ)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if not self._take(key.fd):
                        selector.unregister(key.fd)

    def _take(self, handle: int) -> bool:
        try:
            data = os.read(handle, _CHUNK)
        except ConnectionResetError:
            return False
        if handle == self.report.fileno():
            self.told += data
            return bool(data) and not data.endswith(b"\n")
        kept = self.ends[handle]
        kept += data[: self.limit - len(kept)]
        if len(data) and len(kept) >= self.limit and not self.stopped:
            self.stopped = True
            with contextlib.suppress(OSError):
                self.report.send(b"o")
        return bool(data)


def _converse(request: dict[str, Any], stdin: bytes, limits: Limits) -> _Conversation:
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    source = _memory_file(stdin)
    try:
        try:
            report = LAUNCHER.send(request, (source, out_end, err_end))
        finally:
            for handle in (source, out_end, err_end):
                os.close(handle)
        with report:
            talk = _Conversation(report, {out: bytearray(), err: bytearray()}, limits.output_bytes)
            talk.run(limits.seconds + _GRACE_SECONDS)
        return talk
    finally:
        os.close(out)
        os.close(err)


def _request(
    argv: Sequence[str], read: Sequence[Path], write_dir: Path, limits: Limits,
    env: Mapping[str, str], isolate: bool, tool: bool,
) -> dict[str, Any]:  # fmt: skip
    folder = write_dir.resolve()
    environment = _environment(folder, env)
    program = shutil.which(argv[0], path=environment["PATH"]) if argv else None
    if program is None:
        raise _cannot_start(argv, "there is no such program")
    return {
        "argv": [os.path.abspath(program), *argv[1:]],
        "env": environment,
        "read": [os.path.abspath(program), *(str(path.absolute()) for path in read)],
        "write": str(folder),
        "limits": _limits_on_the_wire(limits),
        "isolate": isolate,
        "tool": tool,
    }


def run_sandboxed(
    argv: Sequence[str],
    *,
    read_paths: Sequence[Path],
    write_dir: Path,
    limits: Limits,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    tool: bool = False,
    policy: Policy | None = None,
) -> ChildResult:
    """Run `argv` in `write_dir`, confined, and wait for it.

    Reads `read_paths` (files or folders) and the system's libraries, writes `write_dir` only.
    `tool` marks a compiler or linker: a trusted program, if on untrusted text, that may change
    the mode of its files. The environment is `env` on top of a bare one. Files that an untrusted
    child leaves should be opened with `read_output`.
    Raises XpilerError: XP0801 no isolation here, XP0802 cannot start, XP0803 launcher lost.
    """
    isolate = (policy or current_policy()) == "required"
    request = _request(argv, read_paths, write_dir, limits, env or {}, isolate, tool)
    try:
        talk = _converse(request, stdin, limits)
    except OSError as error:
        raise _launcher_lost(str(error)) from error
    if not talk.told.endswith(b"\n"):
        raise _launcher_lost("it ended before it told how the program ended")
    outcome = json.loads(talk.told)
    _raise_refusal(outcome.pop("refused"), argv)
    stdout, stderr = (bytes(kept) for kept in talk.ends.values())
    return ChildResult(stdout=stdout, stderr=stderr, **outcome)


def _raise_refusal(refused: list[Any] | None, argv: Sequence[str]) -> None:
    if refused is None:
        return
    step, code = refused
    why = os.strerror(code)
    if step == "start":
        raise _cannot_start(argv, why)
    wall = {"filesystem": "Landlock (files)", "network": "seccomp (network, processes)"}[step]
    raise _isolation_missing(f"{wall}: {why}")


def read_output(write_dir: Path, name: str, *, max_bytes: int = 1 << 30) -> bytes:
    """A plain file that a child left in `write_dir`; never through a link, never a pipe.

    Raises OSError where it is not there, is something else, or is longer than `max_bytes`.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(write_dir / name, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            raise OSError(f"{name} is not a plain file of at most {max_bytes} bytes")
        return file.read(max_bytes)
