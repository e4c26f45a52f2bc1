"""The folder where things that can be made again are kept between runs."""

from __future__ import annotations

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


def store(path: Path, data: bytes, *, executable: bool = False) -> Path:
    """Write `data` to `path` in one step: whoever reads it sees all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), 0o755 if executable else 0o644)
    os.replace(name, path)
    return path
