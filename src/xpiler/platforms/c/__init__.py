"""Plain C, with AVX-512/VNNI intrinsics where wanted."""
