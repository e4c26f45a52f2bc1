"""A provider without a network: each prompt is a file, its answer is awaited as another one."""

from __future__ import annotations

import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from xpiler.host.cache import store
from xpiler.neural.provider import Answer, ModelFault, Request, estimate_tokens

_MAX_BYTES = 4 << 20
_POLL_SECONDS = 0.2
_HEAD = """\
<!-- Answer this prompt in the file {answer}
     beside it (write it under another name and rename it, so that it appears whole). -->
"""


@dataclass(frozen=True)
class Exchange:
    """`NAME.prompt.md` is written to `folder`, `NAME.answer.md` is read when it is there.

    NAME follows from the question: an answer that is there already is taken at once. `wait` is how
    many seconds an answer is waited for.
    """

    folder: Path
    wait: float = 3600.0

    @property
    def name(self) -> str:
        return f"exchange:{self.folder}"

    @property
    def paid(self) -> bool:
        return False

    def ask(self, request: Request, seconds: float) -> Answer:
        """See Provider.ask."""
        start = time.monotonic()
        topic = re.sub(r"[^A-Za-z0-9]+", "-", request.topic).strip("-")[:60] or "prompt"
        stem = f"{topic}-{request.digest[:12]}"
        answer = self.folder / f"{stem}.answer.md"
        self._write(self.folder / f"{stem}.prompt.md", request, answer.name)
        until = start + min(seconds, self.wait)
        while (text := _complete(answer)) is None:
            if time.monotonic() > until:
                raise ModelFault("no answer", f"{answer} did not come")
            time.sleep(min(_POLL_SECONDS, max(0.01, until - time.monotonic())))
        return Answer(
            text, self.name, estimate_tokens(request.characters), estimate_tokens(len(text)),
            time.monotonic() - start,
        )  # fmt: skip

    def _write(self, path: Path, request: Request, answer: str) -> None:
        parts = [_HEAD.format(answer=answer)]
        parts += [f"<!-- {m.role} -->\n\n{m.text}\n" for m in request.messages]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            store(path, "\n".join(parts).encode())
        except OSError as why:
            raise ModelFault("setup", f"{path} cannot be written: {why.strerror}") from why


def _complete(path: Path) -> str | None:
    """The text of the answer; None while it is not there, is empty, or still grows."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as why:
        raise ModelFault("broken answer", f"{path}: {why.strerror}") from why
    with os.fdopen(handle, "rb") as file:
        first = os.fstat(handle)
        if not stat.S_ISREG(first.st_mode):
            raise ModelFault("broken answer", f"{path} is no plain file")
        if first.st_size > _MAX_BYTES:
            raise ModelFault("too long", f"{path} has more than {_MAX_BYTES} bytes")
        if first.st_size == 0 or time.time() - first.st_mtime < _POLL_SECONDS:
            return None  # somebody may still be writing
        data = file.read(_MAX_BYTES + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as why:
        raise ModelFault("broken answer", f"{path} is not UTF-8 text") from why
