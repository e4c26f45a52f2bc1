// Asynchronous copies from global to shared memory.
#pragma once
#pragma clang force_cuda_host_device begin
void __pipeline_memcpy_async(void* dst, const void* src, size_t bytes, size_t zfill = 0);
void __pipeline_commit();
void __pipeline_wait_prior(size_t n);
namespace cuda {
enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };
template <size_t N> struct aligned_size_t {
  size_t value;
  constexpr aligned_size_t(size_t n) : value(n) {}
  constexpr operator size_t() const { return value; }
};
template <thread_scope S> struct pipeline {
  void producer_acquire() {}
  void producer_commit() { __pipeline_commit(); }
  void consumer_wait() { __pipeline_wait_prior(0); }
  void consumer_release() {}
};
inline pipeline<thread_scope_thread> make_pipeline() { return pipeline<thread_scope_thread>(); }
template <class T, class P> inline void memcpy_async(T* dst, const T* src, size_t bytes, P& p) {
  __pipeline_memcpy_async(dst, src, bytes);
}
template <unsigned K, thread_scope S> inline void pipeline_consumer_wait_prior(pipeline<S>& p) {
  __pipeline_wait_prior(K);
}
}
#pragma clang force_cuda_host_device end
