__device__ inline unsigned xp_lane() { return __lane_id() & 31u; }
