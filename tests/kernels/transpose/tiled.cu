#define TILE_DIM 32
#define BLOCK_ROWS 8

// Shared-memory transpose, padded against bank conflicts.
__global__ void transpose_tiled(float *odata, const float *idata, int width, int height)
{
    __shared__ float tile[TILE_DIM][TILE_DIM + 1];

    int x = blockIdx.x * TILE_DIM + threadIdx.x;
    int y = blockIdx.y * TILE_DIM + threadIdx.y;

    for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS)
        if (x < width && y + j < height)
            tile[threadIdx.y + j][threadIdx.x] = idata[(y + j) * width + x];

    __syncthreads();

    x = blockIdx.y * TILE_DIM + threadIdx.x;
    y = blockIdx.x * TILE_DIM + threadIdx.y;

    for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS)
        if (x < height && y + j < width)
            odata[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}

extern "C" void transpose(const float *in, float *out, int height, int width)
{
    float *d_in, *d_out;
    cudaMalloc((void **)&d_in, height * width * sizeof(float));
    cudaMalloc((void **)&d_out, height * width * sizeof(float));
    cudaMemcpy(d_in, in, height * width * sizeof(float), cudaMemcpyHostToDevice);
    dim3 grid((width + TILE_DIM - 1) / TILE_DIM, (height + TILE_DIM - 1) / TILE_DIM, 1);
    dim3 block(TILE_DIM, BLOCK_ROWS, 1);
    transpose_tiled<<<grid, block>>>(d_out, d_in, width, height);
    cudaMemcpy(out, d_out, height * width * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(d_in);
    cudaFree(d_out);
}
