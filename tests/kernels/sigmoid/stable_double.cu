// Numerically careful: never exponentiates a positive number.
__global__ void sigmoid_f64(double* x, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    while (i < n) {
        double v = x[i];
        if (v >= 0.0) {
            x[i] = 1.0 / (1.0 + exp(-v));
        } else {
            double e = exp(v);
            x[i] = e / (1.0 + e);
        }
        i += (size_t)gridDim.x * blockDim.x;
    }
}
