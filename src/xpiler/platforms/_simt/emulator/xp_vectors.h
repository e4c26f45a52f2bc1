// Short vectors (char1 ... double4) and dim3: plain structs with the documented alignment.
#ifndef XP_VECTORS_H
#define XP_VECTORS_H
#ifndef XP_VECTORS_WITH_OPERATORS

#define XP_VECTOR(T, name, a1, a2, a4)                                                        \
  struct __attribute__((aligned(a1))) name##1 { T x; };                                       \
  struct __attribute__((aligned(a2))) name##2 { T x, y; };                                    \
  struct name##3 { T x, y, z; };                                                              \
  struct __attribute__((aligned(a4))) name##4 { T x, y, z, w; };                              \
  inline name##1 make_##name##1(T x) { return {x}; }                                          \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                  \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                          \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
XP_VECTOR(signed char, char, 1, 2, 4)
XP_VECTOR(unsigned char, uchar, 1, 2, 4)
XP_VECTOR(short, short, 2, 4, 8)
XP_VECTOR(unsigned short, ushort, 2, 4, 8)
XP_VECTOR(int, int, 4, 8, 16)
XP_VECTOR(unsigned, uint, 4, 8, 16)
XP_VECTOR(long, long, 8, 16, 16)
XP_VECTOR(unsigned long, ulong, 8, 16, 16)
XP_VECTOR(long long, longlong, 8, 16, 16)
XP_VECTOR(unsigned long long, ulonglong, 8, 16, 16)
XP_VECTOR(float, float, 4, 8, 16)
XP_VECTOR(double, double, 8, 16, 16)
#undef XP_VECTOR

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return uint3{x, y, z}; }
};
#endif
#endif
