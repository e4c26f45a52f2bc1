#include <hip/hip_runtime.h>
#include <cmath>

// Mean negative log-likelihood over rows whose label is not -100; thread per row, one block.
#define IGNORE (-100)

__global__ void nll_mean(const float* __restrict__ logits, const int* __restrict__ labels,
                         float* __restrict__ out, int rows, int classes)
{
    __shared__ float sums[64];
    __shared__ int counts[64];
    float sum = 0.f;
    int count = 0;
    for (int r = threadIdx.x; r < rows; r += 64) {
        const int label = labels[r];
        if (label == IGNORE) continue;
        const float* row = logits + (size_t)r * classes;
        float top = row[0];
        for (int c = 1; c < classes; ++c) top = row[c] > top ? row[c] : top;
        float z = 0.f;
        for (int c = 0; c < classes; ++c) z += expf(row[c] - top);
        sum += logf(z) - (row[label] - top);
        ++count;
    }
    sums[threadIdx.x] = sum;
    counts[threadIdx.x] = count;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int i = 1; i < 64; ++i) {
            sum += sums[i];
            count += counts[i];
        }
        *out = count > 0 ? sum / count : 0.f;
    }
}

extern "C" void nll_loss(const float* logits, const int* labels, float* out, int rows, int classes)
{
    float *dl, *dout;
    int* dy;
    hipMalloc(&dl, sizeof(float) * rows * classes);
    hipMalloc(&dy, sizeof(int) * rows);
    hipMalloc(&dout, sizeof(float));
    hipMemcpy(dl, logits, sizeof(float) * rows * classes, hipMemcpyHostToDevice);
    hipMemcpy(dy, labels, sizeof(int) * rows, hipMemcpyHostToDevice);
    nll_mean<<<1, 64>>>(dl, dy, dout, rows, classes);
    hipMemcpy(out, dout, sizeof(float), hipMemcpyDeviceToHost);
    hipFree(dl);
    hipFree(dy);
    hipFree(dout);
}
