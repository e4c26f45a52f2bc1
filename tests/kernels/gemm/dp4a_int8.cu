// int8 x int8 -> int32. K is a multiple of 4; B is stored transposed, so that both
// operands are read four bytes at a time.
#define BX 8
#define BY 8

__global__ void igemm_dp4a(const int *A4, const int *B4, int *C, int M, int N, int K4)
{
  int n = blockIdx.x * BX + threadIdx.x;
  int m = blockIdx.y * BY + threadIdx.y;
  if (m >= M || n >= N)
    return;
  int sum = 0;
  for (int k = 0; k < K4; k++)
    sum = __dp4a(A4[m * K4 + k], B4[n * K4 + k], sum);
  C[m * N + n] = sum;
}

void igemm(const signed char *A, const signed char *Bt, int *C, int M, int N, int K)
{
  signed char *a, *b;
  int *c;
  cudaMalloc((void **)&a, M * K);
  cudaMalloc((void **)&b, N * K);
  cudaMalloc((void **)&c, M * N * sizeof(int));
  cudaMemcpy(a, A, M * K, cudaMemcpyHostToDevice);
  cudaMemcpy(b, Bt, N * K, cudaMemcpyHostToDevice);
  dim3 block(BX, BY);
  dim3 grid((N + BX - 1) / BX, (M + BY - 1) / BY);
  igemm_dp4a<<<grid, block>>>((const int *)a, (const int *)b, c, M, N, K / 4);
  cudaMemcpy(C, c, M * N * sizeof(int), cudaMemcpyDeviceToHost);
  cudaFree(a);
  cudaFree(b);
  cudaFree(c);
}
