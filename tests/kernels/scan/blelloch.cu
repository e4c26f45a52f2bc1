#include <cuda_runtime.h>
#define N_ELEMS 128
#define LOG_NUM_BANKS 5
#define CONFLICT_FREE_OFFSET(n) ((n) >> LOG_NUM_BANKS)

// Work-efficient exclusive scan of 128 ints per block, 64 threads, padded shared memory.
__global__ void prescan(int *g_odata, const int *g_idata)
{
    __shared__ int temp[N_ELEMS + CONFLICT_FREE_OFFSET(N_ELEMS)];
    const int thid = threadIdx.x;
    const int base = blockIdx.x * N_ELEMS;
    int offset = 1;

    const int ai = thid, bi = thid + N_ELEMS / 2;
    temp[ai + CONFLICT_FREE_OFFSET(ai)] = g_idata[base + ai];
    temp[bi + CONFLICT_FREE_OFFSET(bi)] = g_idata[base + bi];

    for (int d = N_ELEMS >> 1; d > 0; d >>= 1) {      // up-sweep
        __syncthreads();
        if (thid < d) {
            int i = offset * (2 * thid + 1) - 1;
            int j = offset * (2 * thid + 2) - 1;
            i += CONFLICT_FREE_OFFSET(i);
            j += CONFLICT_FREE_OFFSET(j);
            temp[j] += temp[i];
        }
        offset *= 2;
    }
    if (thid == 0) temp[N_ELEMS - 1 + CONFLICT_FREE_OFFSET(N_ELEMS - 1)] = 0;

    for (int d = 1; d < N_ELEMS; d *= 2) {            // down-sweep
        offset >>= 1;
        __syncthreads();
        if (thid < d) {
            int i = offset * (2 * thid + 1) - 1;
            int j = offset * (2 * thid + 2) - 1;
            i += CONFLICT_FREE_OFFSET(i);
            j += CONFLICT_FREE_OFFSET(j);
            int t = temp[i];
            temp[i] = temp[j];
            temp[j] += t;
        }
    }
    __syncthreads();
    g_odata[base + ai] = temp[ai + CONFLICT_FREE_OFFSET(ai)];
    g_odata[base + bi] = temp[bi + CONFLICT_FREE_OFFSET(bi)];
}

extern "C" void exclusive_scan_rows(const int *in, int *out, int rows)
{
    int *di, *dout;
    cudaMalloc(&di, sizeof(int) * rows * N_ELEMS);
    cudaMalloc(&dout, sizeof(int) * rows * N_ELEMS);
    cudaMemcpy(di, in, sizeof(int) * rows * N_ELEMS, cudaMemcpyHostToDevice);
    prescan<<<rows, N_ELEMS / 2>>>(dout, di);
    cudaMemcpy(out, dout, sizeof(int) * rows * N_ELEMS, cudaMemcpyDeviceToHost);
    cudaFree(di);
    cudaFree(dout);
}
