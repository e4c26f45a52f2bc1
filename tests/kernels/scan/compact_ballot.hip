#include <hip/hip_runtime.h>

// Stream compaction inside a wave: places of the kept elements by a prefix count of the
// ballot. Every wave of 64 keeps the positive numbers, in order, and pads with zeros.
__global__ void compact(const int* in, int* out, int* kept)
{
    const int lane = threadIdx.x;
    const int v = in[blockIdx.x * 64 + lane];
    const unsigned long long keep = __ballot(v > 0);
    const unsigned long long below = keep & ((1ull << lane) - 1ull);
    const int total = __popcll(keep);

    if (v > 0) out[blockIdx.x * 64 + __popcll(below)] = v;
    if (lane >= total) out[blockIdx.x * 64 + lane] = 0;
    if (lane == 0) kept[blockIdx.x] = total;
}
