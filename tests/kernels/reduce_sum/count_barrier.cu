// How many positive numbers has each row? The barrier counts.
extern "C" __global__ void count_positive(const int* x, int* count, int cols)
{
    int total = 0;
    for (int base = 0; base < cols; base += blockDim.x) {
        const int c = base + threadIdx.x;
        const int yes = c < cols && x[blockIdx.x * cols + c] > 0;
        total += __syncthreads_count(yes);
    }
    if (threadIdx.x == 0) count[blockIdx.x] = total;
}
