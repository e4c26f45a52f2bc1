"""What CUDA and HIP share: running the unmodified text of either on the CPU."""
