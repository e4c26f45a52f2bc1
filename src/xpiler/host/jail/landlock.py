"""Landlock: which files a process may open, by kernel rules that need no privilege.

Constants from <linux/landlock.h>; the meaning of each ABI version from
Documentation/userspace-api/landlock.rst of the Linux kernel.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from functools import cache

from .syscalls import syscall

CREATE, ADD, RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << i for i in range(6))
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE = 1 << 13, 1 << 14
# How many file rights each ABI version knows: 13 in the first, then REFER, TRUNCATE, IOCTL_DEV.
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract unix sockets, signals

_FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
READ = EXECUTE | READ_FILE | READ_DIR
# Neither links nor devices nor pipes: our side opens what the child leaves there.
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
DEVICE = READ_FILE | WRITE_FILE | TRUNCATE


@cache
def abi() -> int:
    """The kernel's Landlock version; 0 where it has none or forbids it."""
    try:
        return syscall(CREATE, 0, 0, _VERSION_FLAG)
    except OSError:
        return 0


def handled_rights(version: int) -> int:
    """Every file right that this version can withhold."""
    return int((1 << _RIGHTS_BY_ABI.get(version, 16)) - 1)


def _ruleset(version: int) -> int:
    words = [handled_rights(version)]
    words += [_TCP] if version >= 4 else []
    words += [_SCOPES] if version >= 6 else []
    attribute = struct.pack(f"={len(words)}Q", *words)
    buffer = ctypes.create_string_buffer(attribute, len(attribute))
    return syscall(CREATE, ctypes.addressof(buffer), len(attribute), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what does not exist needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _FILE_RIGHTS
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, handle), 12)
        syscall(ADD, ruleset, _PATH_BENEATH, ctypes.addressof(rule), 0)
    finally:
        os.close(handle)


def restrict(rules: Iterable[tuple[str, int]]) -> int:
    """Confine this process for good to `rules` (path, rights); the ABI version that did it.

    Needs no_new_privs. Raises OSError where the kernel has no Landlock.
    """
    version = abi()
    if version < 1:
        raise OSError(38, "Landlock is not available")
    ruleset = _ruleset(version)
    for path, rights in rules:
        _allow(ruleset, path, rights & handled_rights(version))
    syscall(RESTRICT, ruleset, 0)
    os.close(ruleset)
    return version
