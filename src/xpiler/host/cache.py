"""The folder where things that can be made again are kept between runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def cache_dir(kind: str) -> Path:
    """`$XDG_CACHE_HOME/xpiler/KIND`, made if need be; a folder of this process where that fails."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    for root in (Path(base) / "xpiler", Path(tempfile.gettempdir()) / f"xpiler-{os.getuid()}"):
        folder = root / kind
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix=f"xpiler-{kind}-"))


def content_key(parts: Iterable[str | bytes]) -> str:
    """A name for whatever is made from exactly these parts, in this order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:40]


_LIMIT = 1 << 30
_TRIM_EVERY = 64
_stores = 0


def trim(folder: Path, limit: int = _LIMIT) -> None:
    """Remove the files that were used longest ago until `folder` holds at most `limit` bytes."""
    with os.scandir(folder) as entries:
        files = [(e.stat().st_mtime, e.stat().st_size, e.path) for e in entries if e.is_file()]
    excess = sum(size for _, size, _ in files) - limit
    for _, size, path in sorted(files):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
        excess -= size


def used(path: Path) -> Path:
    """Note that the file was used: `trim` takes it later."""
    with contextlib.suppress(OSError):
        os.utime(path)
    return path


def _trim_now_and_then(folder: Path) -> None:
    global _stores
    _stores += 1
    if _stores % _TRIM_EVERY == 1:
        with contextlib.suppress(OSError):
            trim(folder)


def _linked(name: str, path: Path) -> bool:
    """Whether there is a file at `path` now: `name`, or another that was there."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(name, path)
        except PermissionError:  # a file system without links
            return False
    return True


def store(path: Path, data: bytes, *, executable: bool = False) -> Path:
    """Write `data` to `path` in one step: whoever reads it sees all of it or nothing.

    A program that is there already stays: a child that is about to start it was given leave for
    that file, not for another one of the same name.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o755 if executable else 0o644)
    if executable and _linked(name, path):
        os.unlink(name)
    else:
        os.replace(name, path)
    _trim_now_and_then(path.parent)
    return path
