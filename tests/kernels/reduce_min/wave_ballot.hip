#include <hip/hip_runtime.h>

// Minimum of 64 unsigned numbers per wave, found bit by bit with ballots.
__global__ void wave_min(const unsigned* in, unsigned* out)
{
    const unsigned v = in[blockIdx.x * 64 + threadIdx.x];
    bool candidate = true;
    unsigned answer = 0;
    for (int bit = 15; bit >= 0; --bit) {
        const bool zero = candidate && !((v >> bit) & 1u);
        const unsigned long long vote = __ballot(zero);
        if (vote) {
            candidate = zero;          // someone has a zero here: the others are out
        } else {
            answer |= 1u << bit;
        }
    }
    if (threadIdx.x == 0) out[blockIdx.x] = answer;
}

extern "C" void min_of_64(const unsigned* in, unsigned* out, int groups)
{
    unsigned *a, *b;
    hipMalloc(&a, sizeof(unsigned) * groups * 64);
    hipMalloc(&b, sizeof(unsigned) * groups);
    hipMemcpy(a, in, sizeof(unsigned) * groups * 64, hipMemcpyHostToDevice);
    wave_min<<<groups, 64>>>(a, b);
    hipMemcpy(out, b, sizeof(unsigned) * groups, hipMemcpyDeviceToHost);
    hipFree(a);
    hipFree(b);
}
