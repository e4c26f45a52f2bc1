"""Facts about the tensor program: value ranges, affine forms, dependences, effects."""
