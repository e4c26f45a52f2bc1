"""CUDA C for NVIDIA devices."""
