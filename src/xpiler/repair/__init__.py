"""Where a translation goes wrong, and what would mend it."""
