"""What this machine offers: compilers, confined child processes, a cache folder."""
