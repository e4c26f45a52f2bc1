"""The launcher's main loop: take a request and its open files from a socket, fork, go on.

A message carries five descriptors: the request as JSON in a memory file, the child's standard
input, output and error, and the socket on which the outcome is told.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from typing import Any

from .confine import prepare
from .supervise import supervise

HANDLES = 5


def _read_all(handle: int) -> dict[str, Any]:
    with os.fdopen(handle, "rb") as file:
        file.seek(0)
        found: dict[str, Any] = json.loads(file.read())
        return found


def _serve_one(handles: list[int]) -> None:
    request = _read_all(handles[0])
    supervise(request, socket.socket(fileno=handles[4]), handles[1:4])


def serve(control: socket.socket) -> None:
    """Until the main process closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are reaped by the kernel
    prepare()
    gc.disable()
    gc.freeze()  # leaves the pages shared with our forks alone
    while True:
        message, handles, _, _ = socket.recv_fds(control, 1, HANDLES)
        if not message:
            return
        for handle in handles:
            os.set_inheritable(handle, False)
        if len(handles) == HANDLES and os.fork() == 0:
            try:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _serve_one(handles)
            finally:
                os._exit(0)
        for handle in handles:
            os.close(handle)


def main(handle: int) -> None:
    """Entry point of the launcher process; `handle` is its end of the control socket."""
    serve(socket.socket(fileno=handle))
