// A short vector of any type, for what clang calls ext_vector_type.
template <class T, int N> struct xp_vector {
  T data[N];
  __host__ __device__ T& operator[](int i) { return data[i]; }
  __host__ __device__ const T& operator[](int i) const { return data[i]; }
};
