"""What a child does to itself between fork and exec: give up all that it will not need."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import struct
from ctypes import addressof, create_string_buffer
from typing import Any

from . import landlock, seccomp
from .syscalls import LIBC, prctl, syscall, this_machine

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAPBSET_DROP = 1, 8, 24
_PR_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _AMBIENT_RAISE = 38, 47, 2
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_ANONYMOUS_UIDS = 0x60000000

# Files outside the caller's lists that compilers, loaders and C libraries read.
SYSTEM_PATHS = (
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/include",
    "/usr/bin", "/usr/local/lib", "/usr/local/include", "/usr/local/bin", "/lib", "/lib64", "/bin",
    "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/alternatives", "/nix/store", "/gnu/store",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/self/maps", "/sys/devices/system/cpu",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")


class Refused(Exception):
    """A step that isolation depends on did not work here: (step, errno)."""


def _drop_to_anonymous_user() -> None:
    """As root: become a user that nobody else is, keeping only the right to pass file modes.

    Landlock, not file modes, says what may be opened; a user of its own makes the limit on
    processes count (root is exempt from it) and leaves no process that could be signalled.
    """
    anonymous = _ANONYMOUS_UIDS + os.getpid()
    with contextlib.suppress(OSError):
        prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP)  # access(2) counts capabilities too
    prctl(_PR_SET_KEEPCAPS, 1)
    with contextlib.suppress(OSError):  # the first number that the kernel does not know ends it
        for capability in range(64):
            if capability != _CAP_DAC_OVERRIDE:
                prctl(_PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):  # a root without these rights stays what it is
        os.setgroups([])
        os.setresgid(anonymous, anonymous, anonymous)
        os.setresuid(anonymous, anonymous, anonymous)
    _keep_only(1 << _CAP_DAC_OVERRIDE)


def _keep_only(mask: int) -> None:
    header = create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    sets = create_string_buffer(struct.pack("=6I", mask, mask, mask, 0, 0, 0), 24)
    with contextlib.suppress(OSError):
        syscall(_CAPSET[os.uname().machine], addressof(header), addressof(sets))
        prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _unshare(flags: int) -> bool:
    return int(LIBC.unshare(flags)) == 0


def _tasks_on_this_machine() -> int:
    with open("/proc/loadavg", encoding="ascii") as file:
        return int(file.read().split()[3].split("/")[1])


def _process_headroom(isolate: bool, processes: int) -> int:
    """The value of RLIMIT_NPROC that leaves this child `processes` of its own.

    The kernel counts per user and user namespace; where neither is ours alone, add what runs.
    """
    if isolate and os.getuid() == 0:
        _drop_to_anonymous_user()
        if os.getuid() != 0:
            return processes
    elif isolate and _unshare(_CLONE_NEWUSER):
        return processes
    return processes + _tasks_on_this_machine()


def _limit(which: int, value: int | None, slack: int = 0) -> None:
    if value is None:
        return
    hard = resource.getrlimit(which)[1]
    ceiling = value + slack if hard == resource.RLIM_INFINITY else min(value + slack, hard)
    resource.setrlimit(which, (min(value, ceiling), ceiling))


def _set_limits(limits: dict[str, Any], processes: int) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], 1)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_STACK, limits["stack_bytes"])
    _limit(resource.RLIMIT_AS, limits["address_bytes"])
    _limit(resource.RLIMIT_NPROC, processes)


def _reset_signals() -> None:
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _restrict_files(request: dict[str, Any]) -> int:
    rules = [(path, landlock.READ) for path in (*SYSTEM_PATHS, *request["read"])]
    rules += [(path, landlock.DEVICE) for path in DEVICES]
    rules += [(request["write"], landlock.WRITE)]
    try:
        return landlock.restrict(rules)
    except OSError as error:
        raise Refused("filesystem", error.errno) from error


def _filter(tool: bool, abi: int) -> bytes:
    machine = this_machine()
    if machine is None:
        raise OSError(38, "unknown processor")
    if abi >= 6:  # signals are Landlock's business: the same filter serves every process
        return seccomp.ready_made(machine, tool, abi)
    pid = os.getpid()
    code = seccomp.program(machine, mode_changes=tool, landlock_abi=abi, own_pid=pid)
    return seccomp.packed(code)


def prepare() -> None:
    """Work that every child would repeat, done once before any is forked."""
    for tool in (False, True):
        with contextlib.suppress(OSError):
            _filter(tool, landlock.abi())


def _restrict_calls(tool: bool, abi: int) -> None:
    try:
        seccomp.install(_filter(tool, abi))
    except OSError as error:
        raise Refused("network", error.errno) from error


def confine(request: dict[str, Any], parent: int) -> None:
    """Apply `request`'s limits and, where it asks for them, the walls. Raises `Refused`."""
    isolate = bool(request["isolate"])
    os.setsid()
    _reset_signals()
    os.chdir(request["write"])
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", 0) as file:
        file.write(b"1000")
    _set_limits(request["limits"], _process_headroom(isolate, request["limits"]["processes"]))
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)
    if isolate:
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _restrict_calls(bool(request["tool"]), _restrict_files(request))
