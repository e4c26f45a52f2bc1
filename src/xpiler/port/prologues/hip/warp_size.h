constexpr int xp_warp_size = 32;  // lanes that work together: half of a wave of 64
