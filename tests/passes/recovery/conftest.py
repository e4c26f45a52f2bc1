"""Puts this folder on the import path: `ir_words` and `compare`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
