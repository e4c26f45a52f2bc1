// Short vectors: plain structs that the tables map to the vector types of the tensor program.
#pragma once
#pragma clang force_cuda_host_device begin

#ifdef XP_VECTOR_OPERATORS
#define XP_OP2(V, T, op) \
  inline V operator op(V a, V b) { return V{(T)(a.x op b.x), (T)(a.y op b.y)}; } \
  inline V operator op(V a, T b) { return V{(T)(a.x op b), (T)(a.y op b)}; } \
  inline V operator op(T a, V b) { return V{(T)(a op b.x), (T)(a op b.y)}; } \
  inline V& operator op##=(V& a, V b) { a.x op##= b.x; a.y op##= b.y; return a; } \
  inline V& operator op##=(V& a, T b) { a.x op##= b; a.y op##= b; return a; }
#define XP_OP3(V, T, op) \
  inline V operator op(V a, V b) { return V{(T)(a.x op b.x), (T)(a.y op b.y), (T)(a.z op b.z)}; } \
  inline V operator op(V a, T b) { return V{(T)(a.x op b), (T)(a.y op b), (T)(a.z op b)}; } \
  inline V operator op(T a, V b) { return V{(T)(a op b.x), (T)(a op b.y), (T)(a op b.z)}; } \
  inline V& operator op##=(V& a, V b) { a.x op##= b.x; a.y op##= b.y; a.z op##= b.z; return a; }
#define XP_OP4(V, T, op) \
  inline V operator op(V a, V b) { return V{(T)(a.x op b.x), (T)(a.y op b.y), (T)(a.z op b.z), (T)(a.w op b.w)}; } \
  inline V operator op(V a, T b) { return V{(T)(a.x op b), (T)(a.y op b), (T)(a.z op b), (T)(a.w op b)}; } \
  inline V operator op(T a, V b) { return V{(T)(a op b.x), (T)(a op b.y), (T)(a op b.z), (T)(a op b.w)}; } \
  inline V& operator op##=(V& a, V b) { a.x op##= b.x; a.y op##= b.y; a.z op##= b.z; a.w op##= b.w; return a; } \
  inline V& operator op##=(V& a, T b) { a.x op##= b; a.y op##= b; a.z op##= b; a.w op##= b; return a; }
#define XP_OPS(N, V, T) XP_OP##N(V, T, +) XP_OP##N(V, T, -) XP_OP##N(V, T, *) XP_OP##N(V, T, /)
#else
#define XP_OPS(N, V, T)
#endif

#define XP_VECTORS(T, name, a2, a4) \
  struct name##1 { T x; }; \
  struct alignas(a2) name##2 { T x, y; }; \
  struct name##3 { T x, y, z; }; \
  struct alignas(a4) name##4 { T x, y, z, w; }; \
  inline name##1 make_##name##1(T x) { return name##1{x}; } \
  inline name##2 make_##name##2(T x, T y) { return name##2{x, y}; } \
  inline name##3 make_##name##3(T x, T y, T z) { return name##3{x, y, z}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return name##4{x, y, z, w}; } \
  XP_OPS(2, name##2, T) XP_OPS(3, name##3, T) XP_OPS(4, name##4, T)

XP_VECTORS(signed char, char, 2, 4)
XP_VECTORS(unsigned char, uchar, 2, 4)
XP_VECTORS(short, short, 4, 8)
XP_VECTORS(unsigned short, ushort, 4, 8)
XP_VECTORS(int, int, 8, 16)
XP_VECTORS(long, long, 16, 16)
XP_VECTORS(unsigned long, ulong, 16, 16)
XP_VECTORS(long long, longlong, 16, 16)
XP_VECTORS(unsigned long long, ulonglong, 16, 16)
XP_VECTORS(float, float, 8, 16)
XP_VECTORS(double, double, 16, 16)
struct uint1 { unsigned x; };
struct alignas(8) uint2 { unsigned x, y; };
typedef xp_uint3 uint3;
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint1 make_uint1(unsigned x) { return uint1{x}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return uint2{x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return uint3{x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return uint4{x, y, z, w}; }
XP_OPS(2, uint2, unsigned) XP_OPS(3, uint3, unsigned) XP_OPS(4, uint4, unsigned)

#pragma clang force_cuda_host_device end
