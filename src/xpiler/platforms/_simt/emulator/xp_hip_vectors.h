// HIP's short vectors: like CUDA's, with element-wise operators, a broadcasting constructor and comparison.
#ifndef XP_HIP_VECTORS_H
#define XP_HIP_VECTORS_H
#define XP_VECTORS_WITH_OPERATORS

namespace xp_simt {
template <class T, int N> struct Parts;
template <class T> struct Parts<T, 1> { T x; };
template <class T> struct alignas(2 * sizeof(T)) Parts<T, 2> { T x, y; };
template <class T> struct Parts<T, 3> { T x, y, z; };
template <class T> struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) Parts<T, 4> { T x, y, z, w; };

template <class T, int N> struct Vector : Parts<T, N> {
  typedef T value_type;
  Vector() = default;
  Vector(T all) { for (int i = 0; i < N; ++i) (*this)[i] = all; }
  template <int M = N, class = typename If<M == 2>::type> Vector(T a, T b) : Parts<T, N>{a, b} {}
  template <int M = N, class = typename If<M == 3>::type> Vector(T a, T b, T c) : Parts<T, N>{a, b, c} {}
  template <int M = N, class = typename If<M == 4>::type> Vector(T a, T b, T c, T d) : Parts<T, N>{a, b, c, d} {}
  T& operator[](int i) { return (&this->x)[i]; }
  const T& operator[](int i) const { return (&this->x)[i]; }
};
#define XP_OPERATOR(op)                                                                                       \
  template <class T, int N> inline Vector<T, N>& operator op##=(Vector<T, N>& a, const Vector<T, N>& b) {     \
    for (int i = 0; i < N; ++i) a[i] = (T)(a[i] op b[i]);                                                     \
    return a;                                                                                                 \
  }                                                                                                           \
  template <class T, int N>                                                                                   \
  inline Vector<T, N>& operator op##=(Vector<T, N>& a, const typename Same<T>::type& b) { return a op##= Vector<T, N>(b); } \
  template <class T, int N> inline Vector<T, N> operator op(Vector<T, N> a, const Vector<T, N>& b) { return a op##= b; }    \
  template <class T, int N, class S, class = decltype((T)S())>                                                \
  inline Vector<T, N> operator op(Vector<T, N> a, S b) { return a op##= Vector<T, N>((T)b); }                 \
  template <class T, int N, class S, class = decltype((T)S())>                                                \
  inline Vector<T, N> operator op(S a, const Vector<T, N>& b) { return Vector<T, N>((T)a) op##= b; }
XP_OPERATOR(+) XP_OPERATOR(-) XP_OPERATOR(*) XP_OPERATOR(/) XP_OPERATOR(%) XP_OPERATOR(&) XP_OPERATOR(|)
XP_OPERATOR(^) XP_OPERATOR(<<) XP_OPERATOR(>>)
#undef XP_OPERATOR
template <class T, int N> inline Vector<T, N> operator-(Vector<T, N> a) {
  for (int i = 0; i < N; ++i) a[i] = -a[i];
  return a;
}
template <class T, int N> inline bool operator==(const Vector<T, N>& a, const Vector<T, N>& b) {
  for (int i = 0; i < N; ++i)
    if (!(a[i] == b[i])) return false;
  return true;
}
template <class T, int N> inline bool operator!=(const Vector<T, N>& a, const Vector<T, N>& b) { return !(a == b); }
}  // namespace xp_simt

#define XP_VECTOR(T, name)                                                            \
  typedef xp_simt::Vector<T, 1> name##1;                                              \
  typedef xp_simt::Vector<T, 2> name##2;                                              \
  typedef xp_simt::Vector<T, 3> name##3;                                              \
  typedef xp_simt::Vector<T, 4> name##4;                                              \
  inline name##1 make_##name##1(T x) { return name##1(x); }                           \
  inline name##2 make_##name##2(T x, T y) { return name##2(x, y); }                   \
  inline name##3 make_##name##3(T x, T y, T z) { return name##3(x, y, z); }           \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return name##4(x, y, z, w); }
XP_VECTOR(signed char, char)
XP_VECTOR(unsigned char, uchar)
XP_VECTOR(short, short)
XP_VECTOR(unsigned short, ushort)
XP_VECTOR(int, int)
XP_VECTOR(unsigned, uint)
XP_VECTOR(long, long)
XP_VECTOR(unsigned long, ulong)
XP_VECTOR(long long, longlong)
XP_VECTOR(unsigned long long, ulonglong)
XP_VECTOR(float, float)
XP_VECTOR(double, double)
#undef XP_VECTOR

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
  dim3(const uint3& v) : x(v.x), y(v.y), z(v.z) {}
  operator uint3() const { return uint3(x, y, z); }
};
#endif
