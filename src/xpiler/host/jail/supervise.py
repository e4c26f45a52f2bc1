"""Watch one child from fork to burial: its time, its memory, its descendants, its disk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import time
from typing import Any

from .confine import Refused, confine
from .syscalls import prctl

_PR_SET_CHILD_SUBREAPER = 36
_PAGE = resource.getpagesize()
_SHORTEST_LOOK, _LONGEST_LOOK = 0.001, 0.025  # seconds between two looks at memory
_LOOKS_PER_DISK_LOOK = 8
_BUSY_SECONDS = 2.0  # in which a program that is still open for writing may become free


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    return found


def descendants() -> list[int]:
    """Every living process below this one, orphans included (this process is their reaper)."""
    found, queue = [], _children(os.getpid())
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += _children(pid)
    return found


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _disk_use(folder: str) -> tuple[int, int]:
    """Bytes and entries below `folder`."""
    total = entries = 0
    with contextlib.suppress(OSError), os.scandir(folder) as listing:
        for entry in listing:
            entries += 1
            with contextlib.suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    inner_bytes, inner_entries = _disk_use(entry.path)
                    total, entries = total + inner_bytes, entries + inner_entries
    return total, entries


class Watch:
    """One child's supervision; `report` is the line to the main process."""

    def __init__(self, request: dict[str, Any], report: socket.socket, streams: list[int]) -> None:
        self.request, self.report, self.streams = request, report, streams
        self.limits = request["limits"]
        self.cause: str | None = None
        self.looks = 0
        self.disk_before = (0, 0)

    def start(self) -> int:
        """Fork and exec; the child's process id. The child's failure comes back as a report."""
        self.disk_before = _disk_use(self.request["write"])
        parent, (self.verdict, mouth) = os.getpid(), os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(parent, mouth)
        os.close(mouth)
        return pid

    def _become(self, parent: int, mouth: int) -> None:
        try:
            for target, handle in enumerate(self.streams):
                os.dup2(handle, target)
            confine(self.request, parent)
            self._execute()
        except Refused as refused:
            os.write(mouth, json.dumps(refused.args).encode())
        except OSError as error:
            os.write(mouth, json.dumps(["start", error.errno]).encode())
        finally:
            os._exit(127)

    def _execute(self) -> None:
        """Exec; a program just written is busy while a fork of its writer holds the handle."""
        argv, until = self.request["argv"], time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                os.execve(argv[0], argv, self.request["env"])
            except OSError as error:
                if error.errno != errno.ETXTBSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def _over_limit(self) -> str | None:
        below = descendants()
        if len(below) > self.limits["processes"]:
            return "processes"
        if sum(_resident(pid) for pid in below) > self.limits["memory_bytes"]:
            return "memory"
        self.looks += 1
        if self.looks % _LOOKS_PER_DISK_LOOK == 0:
            return self._over_disk()
        return None

    def _over_disk(self) -> str | None:
        now = _disk_use(self.request["write"])
        grown = [after - before for after, before in zip(now, self.disk_before, strict=True)]
        too_much = grown[0] > self.limits["disk_bytes"] or grown[1] > self.limits["disk_entries"]
        return "files" if too_much else None

    def _asked_to_stop(self) -> str:
        with contextlib.suppress(OSError):
            if self.report.recv(1) == b"o":
                return "output"
        return "abandoned"

    def wait(self, pid: int, bell: int) -> tuple[int, resource.struct_rusage]:
        """Until the child ends or must: its wait status and what it used."""
        deadline = time.monotonic() + self.limits["seconds"]
        pause = _SHORTEST_LOOK
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        poll.register(self.report.fileno(), select.POLLIN)
        while self.cause is None:
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done:
                return status, usage
            left = deadline - time.monotonic()
            rung = poll.poll(max(0.0, min(pause, left)) * 1000)
            pause = min(pause * 2, _LONGEST_LOOK)
            self._decide(left, bell, [handle for handle, _ in rung])
        os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        return status, usage

    def _decide(self, left: float, bell: int, rung: list[int]) -> None:
        if self.report.fileno() in rung:
            self.cause = self._asked_to_stop()
        elif bell in rung:
            os.read(bell, 512)
        elif left <= 0:
            self.cause = "time"
        else:
            self.cause = self._over_limit()


def bury(group: int) -> None:
    """Kill and reap whatever the child left behind."""
    for _ in range(1000):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        for pid in descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)


def _cause_of(code: int, cause: str | None, cpu_left: float) -> str | None:
    """A kernel limit tells itself by the signal that it sends."""
    if cause is None and (code == -signal.SIGXCPU or (code == -signal.SIGKILL and cpu_left <= 0)):
        return "time"
    if cause is None and code == -signal.SIGXFSZ:
        return "files"
    return cause


def _bell() -> int:
    """A pipe's end that becomes readable when a child changes state."""
    ear, mouth = os.pipe()
    os.set_blocking(ear, False)
    os.set_blocking(mouth, False)
    signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return ear


def supervise(request: dict[str, Any], report: socket.socket, streams: list[int]) -> None:
    """Run one request and send its outcome as one JSON line."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    watch = Watch(request, report, streams)
    bell = _bell()
    begun = time.monotonic()
    pid = watch.start()
    for handle in streams:
        os.close(handle)
    refusal = os.read(watch.verdict, 4096)  # empty once the exec has happened
    status, usage = watch.wait(pid, bell)
    seconds = time.monotonic() - begun
    bury(pid)
    cpu, code = usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status)
    outcome = {
        "refused": json.loads(refusal) if refusal else None,
        "returncode": code,
        "killed_by": _cause_of(code, watch.cause, request["limits"]["cpu_seconds"] - cpu),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    with contextlib.suppress(OSError):
        report.sendall(json.dumps(outcome).encode() + b"\n")
