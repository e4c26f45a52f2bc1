"""An HTTP client that a hostile or broken server can neither hold nor flood."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

MAX_BYTES = 16 << 20
CONNECT_SECONDS = 10.0


class TooMuch(Exception):
    """The server sent more than an answer can be, or took longer than it may."""


def bounded_client(
    library: Any, url: str | None, seconds: float, max_bytes: int = MAX_BYTES
) -> Any:
    """A client of `library` (httpx's interface) for one exchange with `url` (None: a vendor's).

    A body may have `max_bytes` and take `seconds` in all, however it dribbles in; redirects are
    not followed (they would carry the prompt elsewhere) and nothing is decompressed.
    """

    class Bounded(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, inner: Any, until: float) -> None:
            self.inner, self.until = inner, until

        def __iter__(self) -> Iterator[bytes]:
            seen = 0
            for part in self.inner:
                seen += len(part)
                if seen > max_bytes:
                    raise TooMuch(f"the answer is larger than {max_bytes} bytes")
                if time.monotonic() > self.until:
                    raise TooMuch(f"the answer took more than {seconds:.0f} s")
                yield part

        def close(self) -> None:
            self.inner.close()

    class Guarded(library.HTTPTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            request.headers["Accept-Encoding"] = "identity"
            until = time.monotonic() + seconds
            response = super().handle_request(request)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                response.close()
                raise TooMuch("the answer is compressed, which was not asked for")
            response.stream = Bounded(response.stream, until)
            return response

    wait = library.Timeout(min(seconds, 600.0), connect=min(seconds, CONNECT_SECONDS))
    return library.Client(
        transport=Guarded(proxy=_proxy(url)), timeout=wait, follow_redirects=False
    )


def _proxy(url: str | None) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(url or "https://vendor.invalid")
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)
