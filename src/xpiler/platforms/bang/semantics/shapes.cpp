// Transposes, turns, padding, pooling.
#pragma once

// -- shapes: H rows of W elements -------------------------------------------------------------------

template <class T> inline void __bang_transpose(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[w * H + h] = src[h * W + w];
}
template <class T> inline void __bang_rotate90(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[w * H + (H - 1 - h)] = src[h * W + w];
}
template <class T> inline void __bang_rotate180(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[(H - 1 - h) * W + (W - 1 - w)] = src[h * W + w];
}
template <class T> inline void __bang_rotate270(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[(W - 1 - w) * H + h] = src[h * W + w];
}
template <class T> inline void __bang_mirror(T* dst, const T* src, int H, int W) {
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++) dst[h * W + (W - 1 - w)] = src[h * W + w];
}
template <class T>
inline void __bang_pad(T* dst, const T* src, int C, int H, int W, int top, int bottom, int left,
                       int right, T value) {
  for (int y = 0; y < top + H + bottom; y++)
    for (int x = 0; x < left + W + right; x++)
      for (int c = 0; c < C; c++)
        dst[(y * (left + W + right) + x) * C + c] =
            y >= top && y < top + H && x >= left && x < left + W
                ? src[((y - top) * W + (x - left)) * C + c]
                : value;
}
template <class T>
inline void __bang_pad(T* dst, const T* src, int C, int H, int W, int top, int bottom, int left,
                       int right) {
  __bang_pad(dst, src, C, H, W, top, bottom, left, right, (T)0);
}

// -- pooling: src is [H][W][C], dst [Ho][Wo][C]; the stride along W comes first ----------------------

#define XP_POOL_SUM(name, scale)                                                                \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW, int SW, int SH) { \
    for (int y = 0; y < (H - KH) / SH + 1; y++)                                                 \
      for (int x = 0; x < (W - KW) / SW + 1; x++)                                               \
        for (int c = 0; c < C; c++) {                                                           \
          float sum = 0;                                                                        \
          for (int ky = 0; ky < KH; ky++)                                                       \
            for (int kx = 0; kx < KW; kx++)                                                     \
              sum += (float)src[((y * SH + ky) * W + (x * SW + kx)) * C + c];                   \
          dst[(y * ((W - KW) / SW + 1) + x) * C + c] = (T)(scale);                              \
        }                                                                                       \
  }                                                                                             \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW) {                 \
    name(dst, src, C, H, W, KH, KW, KW, KH);                                                    \
  }
XP_POOL_SUM(__bang_sumpool, sum)
XP_POOL_SUM(__bang_avgpool, sum / (float)(KH * KW))
#define XP_POOL_BEST(name, op)                                                                  \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW, int SW, int SH) { \
    for (int y = 0; y < (H - KH) / SH + 1; y++)                                                 \
      for (int x = 0; x < (W - KW) / SW + 1; x++)                                               \
        for (int c = 0; c < C; c++) {                                                           \
          T best = src[(y * SH * W + x * SW) * C + c];                                          \
          for (int ky = 0; ky < KH; ky++)                                                       \
            for (int kx = 0; kx < KW; kx++)                                                     \
              if (src[((y * SH + ky) * W + (x * SW + kx)) * C + c] op best)                     \
                best = src[((y * SH + ky) * W + (x * SW + kx)) * C + c];                        \
          dst[(y * ((W - KW) / SW + 1) + x) * C + c] = best;                                    \
        }                                                                                       \
  }                                                                                             \
  template <class T>                                                                            \
  inline void name(T* dst, const T* src, int C, int H, int W, int KH, int KW) {                 \
    name(dst, src, C, H, W, KH, KW, KW, KH);                                                    \
  }
XP_POOL_BEST(__bang_maxpool, >)
XP_POOL_BEST(__bang_minpool, <)
// the place of the first largest element in its window, kh * KW + kw
template <class T, class I>
inline void __bang_maxpool_index(I* dst, const T* src, int C, int H, int W, int KH, int KW, int SW,
                                 int SH) {
  for (int y = 0; y < (H - KH) / SH + 1; y++)
    for (int x = 0; x < (W - KW) / SW + 1; x++)
      for (int c = 0; c < C; c++) {
        T best = src[(y * SH * W + x * SW) * C + c];
        int at = 0;
        for (int k = 0; k < KH * KW; k++)
          if (src[((y * SH + k / KW) * W + (x * SW + k % KW)) * C + c] > best) {
            best = src[((y * SH + k / KW) * W + (x * SW + k % KW)) * C + c];
            at = k;
          }
        ((typename xp_index<T>::type*)dst)[(y * ((W - KW) / SW + 1) + x) * C + c] =
            (typename xp_index<T>::type)at;
      }
}
