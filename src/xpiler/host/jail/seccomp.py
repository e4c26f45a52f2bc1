"""The system call filter: a classic BPF program that says which calls a confined child may make.

Landlock leaves open what this closes: sockets of any family, signals and limits of other
processes (before its version 6), changing owner or mode of a file, leaving the process group.
Layout of `struct seccomp_data` and return values from <linux/seccomp.h>.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from functools import cache

from .syscalls import Machine, prctl

_LD, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NR, _ARCH = 0, 4
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
_TIOCSTI = 0x5412
_O_TRUNC, _O_ACCMODE = 0o1000, 0o3
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant

# Where a program that asks should go on with an older call.
_ABSENT = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")
_DENIED = (
    # reaching the network or another process over a socket or System V object
    "socket", "shmget", "semget", "msgget", "mq_open", "memfd_create", "memfd_secret",
    # looking into or steering another process
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_getfd", "setpriority", "ioprio_set", "migrate_pages", "move_pages",
    # leaving the group that a time-out kills
    "setsid", "setpgid",
    # namespaces and mounts
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr",
    "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    # attributes of files anywhere, which Landlock does not guard
    "chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "name_to_handle_at",
    "open_by_handle_at",
    # the machine itself
    "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "delete_module",
    "fanotify_init", "finit_module", "init_module", "ioperm", "iopl", "kexec_file_load",
    "kexec_load", "keyctl", "lookup_dcookie", "perf_event_open", "personality", "quotactl",
    "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "settimeofday",
    "swapoff", "swapon", "syslog", "userfaultfd", "uselib", "vhangup",
)  # fmt: skip
_MODE_CHANGES = ("chmod", "fchmod", "fchmodat", "fchmodat2")
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


def _argument(index: int) -> Instruction:
    return (_LD, 0, 0, 16 + 8 * index)  # the low word on a little-endian machine


def _fail(code: int) -> Instruction:
    return (_RET, 0, 0, _ERRNO | code)


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body` runs for call `number` only; the accumulator holds the call's number around it."""
    return [(_JEQ, 0, len(body) + 1, number), *body, (_LD, 0, 0, _NR)]


def _deny(number: int, code: int) -> list[Instruction]:
    return [(_JEQ, 0, 1, number), _fail(code)]


def _argument_rules(numbers: dict[str, int]) -> list[Instruction]:
    no = _fail(errno.EPERM)
    reads_but_truncates = [(_AND, 0, 0, _O_TRUNC | _O_ACCMODE), (_JEQ, 0, 1, _O_TRUNC), no]
    rules = _when(numbers["clone"], [_argument(0), (_JSET, 0, 1, _NAMESPACE_FLAGS), no])
    rules += _when(numbers["ioctl"], [_argument(1), (_JEQ, 0, 1, _TIOCSTI), no])
    rules += _when(numbers["prlimit64"], [_argument(0), (_JEQ, 1, 0, 0), no])
    rules += _when(numbers["openat"], [_argument(2), *reads_but_truncates])
    if "open" in numbers:
        rules += _when(numbers["open"], [_argument(1), *reads_but_truncates])
    return rules


def _signal_rules(numbers: dict[str, int], own_pid: int) -> list[Instruction]:
    """Signals to nobody but oneself, for kernels whose Landlock does not scope signals."""
    rules = _deny(numbers["pidfd_send_signal"], errno.EPERM)
    for name in _SIGNALS:
        body = [_argument(0), (_JEQ, 1, 0, own_pid), _fail(errno.EPERM)]
        rules += _when(numbers[name], body)
    return rules


def program(
    machine: Machine, *, mode_changes: bool, landlock_abi: int, own_pid: int
) -> list[Instruction]:
    """The filter for one child; `mode_changes` lets it chmod (a linker must)."""
    numbers = machine.numbers
    code: list[Instruction] = [
        (_LD, 0, 0, _ARCH),
        (_JEQ, 1, 0, machine.audit_arch),
        (_RET, 0, 0, _KILL_PROCESS),
        (_LD, 0, 0, _NR),
    ]
    if machine.has_x32:
        code += [(_JGE, 0, 1, _X32_BIT), _fail(errno.ENOSYS)]
    denied = _DENIED + (() if mode_changes else _MODE_CHANGES)
    denied += () if landlock_abi >= 3 else ("truncate",)
    for name in denied:
        code += _deny(numbers[name], errno.EPERM) if name in numbers else []
    for name in _ABSENT:
        code += _deny(numbers[name], errno.ENOSYS)
    code += _argument_rules(numbers)
    code += [] if landlock_abi >= 6 else _signal_rules(numbers, own_pid)
    return [*code, (_RET, 0, 0, _ALLOW)]


def packed(code: list[Instruction]) -> bytes:
    """The program as an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


@cache
def ready_made(machine: Machine, mode_changes: bool, landlock_abi: int) -> bytes:
    """The packed filter that depends on no process id; for ABI 6 and later."""
    code = program(machine, mode_changes=mode_changes, landlock_abi=landlock_abi, own_pid=0)
    return packed(code)


def install(code: bytes) -> None:
    """Apply the packed filter to this process for good. Needs no_new_privs; raises OSError."""
    body = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(body))
    holder = ctypes.create_string_buffer(header, len(header))
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(holder))
