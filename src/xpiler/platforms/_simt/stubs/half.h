// 16-bit floats: half and bf16 are the compiler's own types, pairs of them plain structs.
#pragma once
#pragma clang force_cuda_host_device begin

typedef _Float16 __half;
typedef __half half;
typedef __bf16 __nv_bfloat16;
typedef __nv_bfloat16 nv_bfloat16;
typedef __bf16 __hip_bfloat16;
typedef __bf16 hip_bfloat16;
struct __half_raw { unsigned short x; };

#define XP_PAIR(V, T) \
  struct alignas(4) V { \
    T x, y; \
    V() = default; \
    constexpr V(T a, T b) : x(a), y(b) {} \
  }; \
  inline V operator+(V a, V b) { return V(a.x + b.x, a.y + b.y); } \
  inline V operator-(V a, V b) { return V(a.x - b.x, a.y - b.y); } \
  inline V operator*(V a, V b) { return V(a.x * b.x, a.y * b.y); } \
  inline V operator/(V a, V b) { return V(a.x / b.x, a.y / b.y); } \
  inline V operator-(V a) { return V(-a.x, -a.y); } \
  inline V& operator+=(V& a, V b) { a.x += b.x; a.y += b.y; return a; } \
  inline V& operator-=(V& a, V b) { a.x -= b.x; a.y -= b.y; return a; } \
  inline V& operator*=(V& a, V b) { a.x *= b.x; a.y *= b.y; return a; } \
  inline V __hadd2(V a, V b) { return V(a.x + b.x, a.y + b.y); } \
  inline V __hsub2(V a, V b) { return V(a.x - b.x, a.y - b.y); } \
  inline V __hmul2(V a, V b) { return V(a.x * b.x, a.y * b.y); } \
  inline V __h2div(V a, V b) { return V(a.x / b.x, a.y / b.y); } \
  inline V __hneg2(V a) { return V(-a.x, -a.y); } \
  inline V __habs2(V a) { return V(__habs(a.x), __habs(a.y)); } \
  inline V __hfma2(V a, V b, V c) { return V(__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)); } \
  inline V __hmax2(V a, V b) { return V(__hmax(a.x, b.x), __hmax(a.y, b.y)); } \
  inline V __hmin2(V a, V b) { return V(__hmin(a.x, b.x), __hmin(a.y, b.y)); } \
  inline V h2exp(V a) { return V(hexp(a.x), hexp(a.y)); } \
  inline V h2log(V a) { return V(hlog(a.x), hlog(a.y)); } \
  inline V h2sqrt(V a) { return V(hsqrt(a.x), hsqrt(a.y)); } \
  inline V h2rsqrt(V a) { return V(hrsqrt(a.x), hrsqrt(a.y)); } \
  inline V h2rcp(V a) { return V(hrcp(a.x), hrcp(a.y)); } \
  inline V h2tanh(V a) { return V(htanh(a.x), htanh(a.y)); }

#define XP_HALF(T) \
  T hexp(T); T hexp2(T); T hlog(T); T hlog2(T); T hsqrt(T); T hrsqrt(T); T hsin(T); T hcos(T); \
  T hfloor(T); T hceil(T); T htrunc(T); T hrint(T); T __habs(T); T __hfma(T, T, T); \
  T __hmax(T, T); T __hmin(T, T); T max(T, T); T min(T, T); \
  bool __hisnan(T); bool __hisinf(T); T htanh(T); T fabs(T); T abs(T); \
  inline T hrcp(T a) { return T(1) / a; } \
  inline T __hadd(T a, T b) { return a + b; } \
  inline T __hsub(T a, T b) { return a - b; } \
  inline T __hmul(T a, T b) { return a * b; } \
  inline T __hdiv(T a, T b) { return a / b; } \
  inline T __hneg(T a) { return -a; } \
  inline T __hadd_rn(T a, T b) { return a + b; } \
  inline T __hsub_rn(T a, T b) { return a - b; } \
  inline T __hmul_rn(T a, T b) { return a * b; } \
  inline bool __heq(T a, T b) { return a == b; } \
  inline bool __hne(T a, T b) { return a != b; } \
  inline bool __hlt(T a, T b) { return a < b; } \
  inline bool __hle(T a, T b) { return a <= b; } \
  inline bool __hgt(T a, T b) { return a > b; } \
  inline bool __hge(T a, T b) { return a >= b; }

XP_HALF(half)
XP_HALF(__nv_bfloat16)
XP_PAIR(__half2, half)
XP_PAIR(__nv_bfloat162, __nv_bfloat16)
typedef __half2 half2;
typedef __nv_bfloat162 nv_bfloat162;
typedef __nv_bfloat162 __hip_bfloat162;

inline float __half2float(half a) { return (float)a; }
inline half __float2half(float a) { return (half)a; }
inline half __float2half_rn(float a) { return (half)a; }
inline half __double2half(double a) { return (half)a; }
inline half __int2half_rn(int a) { return (half)a; }
inline half __uint2half_rn(unsigned a) { return (half)a; }
inline half __short2half_rn(short a) { return (half)a; }
inline half __ushort2half_rn(unsigned short a) { return (half)a; }
inline int __half2int_rz(half a) { return (int)a; }
inline int __half2int_rn(half a) { return __float2int_rn((float)a); }
short __half_as_short(half);
unsigned short __half_as_ushort(half);
half __short_as_half(short);
half __ushort_as_half(unsigned short);
inline half2 __floats2half2_rn(float a, float b) { return half2((half)a, (half)b); }
inline half2 __float22half2_rn(float2 a) { return half2((half)a.x, (half)a.y); }
inline half2 __float2half2_rn(float a) { return half2((half)a, (half)a); }
inline float2 __half22float2(half2 a) { return float2{(float)a.x, (float)a.y}; }
inline half2 __halves2half2(half a, half b) { return half2(a, b); }
inline half2 __half2half2(half a) { return half2(a, a); }
inline half2 make_half2(half a, half b) { return half2(a, b); }
inline half __low2half(half2 a) { return a.x; }
inline half __high2half(half2 a) { return a.y; }
inline float __low2float(half2 a) { return (float)a.x; }
inline float __high2float(half2 a) { return (float)a.y; }
inline half2 __lowhigh2highlow(half2 a) { return half2(a.y, a.x); }
inline half2 __low2half2(half2 a) { return half2(a.x, a.x); }
inline half2 __high2half2(half2 a) { return half2(a.y, a.y); }
inline half2 __lows2half2(half2 a, half2 b) { return half2(a.x, b.x); }
inline half2 __highs2half2(half2 a, half2 b) { return half2(a.y, b.y); }

inline float __bfloat162float(__nv_bfloat16 a) { return (float)a; }
inline __nv_bfloat16 __float2bfloat16(float a) { return (__nv_bfloat16)a; }
inline __nv_bfloat16 __float2bfloat16_rn(float a) { return (__nv_bfloat16)a; }
inline __nv_bfloat16 __double2bfloat16(double a) { return (__nv_bfloat16)a; }
inline __nv_bfloat16 __int2bfloat16_rn(int a) { return (__nv_bfloat16)(float)a; }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return __nv_bfloat162((__nv_bfloat16)a, (__nv_bfloat16)b); }
inline __nv_bfloat162 __float22bfloat162_rn(float2 a) { return __nv_bfloat162((__nv_bfloat16)a.x, (__nv_bfloat16)a.y); }
inline __nv_bfloat162 __float2bfloat162_rn(float a) { return __nv_bfloat162((__nv_bfloat16)a, (__nv_bfloat16)a); }
inline float2 __bfloat1622float2(__nv_bfloat162 a) { return float2{(float)a.x, (float)a.y}; }
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) { return __nv_bfloat162(a, a); }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat162(a, b); }
inline __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat162(a, b); }
inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 a) { return a.x; }
inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 a) { return a.y; }
inline float __low2float(__nv_bfloat162 a) { return (float)a.x; }
inline float __high2float(__nv_bfloat162 a) { return (float)a.y; }
short __bfloat16_as_short(__nv_bfloat16);
unsigned short __bfloat16_as_ushort(__nv_bfloat16);
__nv_bfloat16 __short_as_bfloat16(short);
__nv_bfloat16 __ushort_as_bfloat16(unsigned short);

#pragma clang force_cuda_host_device end
