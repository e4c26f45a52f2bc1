"""A wrong text as a sketch with holes, and the words that may fill them."""

from xpiler.repair.sketches.holes import Fill, everything
from xpiler.repair.sketches.vocabulary import Vocabulary

__all__ = ["Fill", "Vocabulary", "everything"]
