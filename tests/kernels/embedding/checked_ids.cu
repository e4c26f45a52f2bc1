#include <cassert>
#include <cstdio>

// Sum of the rows of a bag of ids per sample; complains about ids outside of the table.
__global__ void embedding_bag(const float *table, const int *ids, float *out, int vocab, int bag,
                              int dim)
{
  assert(blockDim.x >= 32);
  const int sample = blockIdx.x;
  for (int d = threadIdx.x; d < dim; d += blockDim.x)
  {
    float sum = 0.f;
    for (int b = 0; b < bag; ++b)
    {
      const int id = ids[sample * bag + b];
      if (id < 0 || id >= vocab)
      {
        if (d == 0) printf("sample %d: bad id %d\n", sample, id);
        continue;
      }
      sum += table[id * dim + d];
    }
    out[sample * dim + d] = sum;
  }
}

extern "C" void bag_of_words(const float *table, const int *ids, float *out, int vocab, int samples,
                             int bag, int dim)
{
  float *t, *o;
  int *i;
  cudaMalloc(&t, sizeof(float) * vocab * dim);
  cudaMalloc(&o, sizeof(float) * samples * dim);
  cudaMalloc(&i, sizeof(int) * samples * bag);
  cudaMemcpy(t, table, sizeof(float) * vocab * dim, cudaMemcpyHostToDevice);
  cudaMemcpy(i, ids, sizeof(int) * samples * bag, cudaMemcpyHostToDevice);
  embedding_bag<<<samples, 32>>>(t, i, o, vocab, bag, dim);
  cudaMemcpy(out, o, sizeof(float) * samples * dim, cudaMemcpyDeviceToHost);
  cudaFree(t);
  cudaFree(o);
  cudaFree(i);
}
