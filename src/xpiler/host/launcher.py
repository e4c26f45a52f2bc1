"""Our end of the launcher process that starts confined children (see `jail/`)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_MAIN = (
    "import sys; sys.path.append(sys.argv[1]); from jail.server import main; main(int(sys.argv[2]))"
)


class Launcher:
    """One launcher process of this process; safe to use from several threads.

    It ends by itself when this process does, and kills what it still runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, request: dict[str, Any], streams: tuple[int, int, int]) -> socket.socket:
        """Start a child on `streams`; the socket on which its outcome will arrive.

        Raises OSError where the launcher cannot be started.
        """
        ours, theirs = socket.socketpair()
        memory = os.memfd_create("xpiler-request")
        try:
            os.write(memory, json.dumps(request).encode())
            self._deliver([memory, *streams, theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            os.close(memory)
            theirs.close()
        return ours

    def _deliver(self, handles: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._running(), [b"r"], handles)
            except (BrokenPipeError, ConnectionResetError):  # killed from outside: once more
                self.close()
                socket.send_fds(self._running(), [b"r"], handles)

    def _running(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            handle = theirs.fileno()
            command = [sys.executable, "-I", "-S", "-c", _MAIN, str(Path(__file__).parent)]
            with theirs:
                self._process = subprocess.Popen(
                    [*command, str(handle)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(handle,),
                    start_new_session=True,
                    cwd="/",
                )
        return self._control

    def close(self) -> None:
        """Let the launcher end; the next request starts another."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            self._process = None

    def forget(self) -> None:
        """After a fork: the launcher is the parent's, not ours."""
        if self._control is not None:
            self._control.close()
        self._control, self._lock = None, threading.Lock()
        if self._process is not None:
            self._process.returncode = 0  # not our child: nothing to wait for
            self._process = None


LAUNCHER = Launcher()
os.register_at_fork(after_in_child=LAUNCHER.forget)
