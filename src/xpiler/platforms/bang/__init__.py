"""BANG C for Cambricon MLUs."""
