"""HIP for AMD devices."""
