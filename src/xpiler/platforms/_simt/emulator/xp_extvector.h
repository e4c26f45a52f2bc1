// clang's vector types (ext_vector_type, vector_size) as a class: named parts, subscripts, element-wise operators.
#ifndef XP_EXTVECTOR_H
#define XP_EXTVECTOR_H
namespace xp_simt {
constexpr unsigned power_above(unsigned n) { return n <= 1 ? 1 : 2 * power_above((n + 1) / 2); }
template <class T, int N> struct VectorData { T data[N]; };
template <class T> struct VectorData<T, 2> { union { T data[2]; struct { T x, y; }; }; };
template <class T> struct VectorData<T, 3> { union { T data[3]; struct { T x, y, z; }; }; };
template <class T> struct VectorData<T, 4> { union { T data[4]; struct { T x, y, z, w; }; }; };

template <class T, int N> struct alignas(power_above(N) * sizeof(T)) ExtVector : VectorData<T, N> {
  ExtVector() = default;
  template <class S, class = decltype((T)S())> ExtVector(S all) {
    for (int i = 0; i < N; ++i) this->data[i] = (T)all;
  }
  template <class A, class B, class... Rest> ExtVector(A a, B b, Rest... rest) {
    static_assert(sizeof...(Rest) + 2 <= N, "too many elements");
    const T given[] = {(T)a, (T)b, (T)rest...};
    for (int i = 0; i < N; ++i) this->data[i] = i < (int)sizeof...(Rest) + 2 ? given[i] : (T)0;
  }
  // Reinterpreting cast between vectors of the same size, as `(v2)v1` does.
  template <class U, int M> explicit ExtVector(const ExtVector<U, M>& other) {
    static_assert(sizeof(U) * M == sizeof(T) * N, "vectors of different sizes");
    __builtin_memcpy((void*)this, &other, sizeof *this);
  }
  T& operator[](int i) { return this->data[i]; }
  const T& operator[](int i) const { return this->data[i]; }
};
template <class T, int Bytes> struct VectorOfBytes { typedef ExtVector<T, Bytes / (int)sizeof(T)> type; };

#define XP_OPERATOR(op)                                                                                           \
  template <class T, int N> inline ExtVector<T, N> operator op(ExtVector<T, N> a, const ExtVector<T, N>& b) {     \
    for (int i = 0; i < N; ++i) a[i] = (T)(a[i] op b[i]);                                                         \
    return a;                                                                                                     \
  }                                                                                                               \
  template <class T, int N, class S, class = decltype((T)S())>                                                    \
  inline ExtVector<T, N> operator op(ExtVector<T, N> a, S b) {                                                    \
    for (int i = 0; i < N; ++i) a[i] = (T)(a[i] op(T) b);                                                         \
    return a;                                                                                                     \
  }                                                                                                               \
  template <class T, int N, class S, class = decltype((T)S())>                                                    \
  inline ExtVector<T, N> operator op(S a, ExtVector<T, N> b) {                                                    \
    for (int i = 0; i < N; ++i) b[i] = (T)((T)a op b[i]);                                                         \
    return b;                                                                                                     \
  }                                                                                                               \
  template <class T, int N, class S> inline ExtVector<T, N>& operator op##=(ExtVector<T, N>& a, const S& b) {     \
    return a = a op b;                                                                                            \
  }
XP_OPERATOR(+) XP_OPERATOR(-) XP_OPERATOR(*) XP_OPERATOR(/) XP_OPERATOR(&) XP_OPERATOR(|) XP_OPERATOR(^)
XP_OPERATOR(<<) XP_OPERATOR(>>)
#undef XP_OPERATOR
template <class T, int N> inline ExtVector<T, N> operator-(ExtVector<T, N> a) {
  for (int i = 0; i < N; ++i) a[i] = (T)-a[i];
  return a;
}
}  // namespace xp_simt
#endif
