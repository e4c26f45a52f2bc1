"""Port mode: between platforms of one family, edits to the user's own text."""

from xpiler.port.model import Change, Ported
from xpiler.port.port import can_port, port

__all__ = ["Change", "Ported", "can_port", "port"]
