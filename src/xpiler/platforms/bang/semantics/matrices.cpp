// Products with weights in WRAM: matmul, mlp, convolution.
#pragma once

// -- matrices: weights are [N][K], output rows first ------------------------------------------------

// Where row `row` of `rows` lies in WRAM after a plain copy: 16 banks take 4 rows in turn. Of 64
// rows each is in its place; __bang_reshape_filter brings more than 64 into this order. Texts
// written for a flat [K][N] weight are read with `flat` in the architecture's name.
inline int xp_weight_row(int row, int rows) {
  return rows <= 64 ? row : row % 64 / 4 * ((rows + 63) / 64 * 4) + row / 64 * 4 + row % 4;
}
#ifdef XP_OPTION_flat
#define XP_WEIGHT(w, row, rows, k, depth) w[(k) * (rows) + (row)]
#else
#define XP_WEIGHT(w, row, rows, k, depth) w[xp_weight_row(row, rows) * (depth) + (k)]
#endif
template <class T>
inline void __bang_reshape_filter(T* dst, const T* src, int N, int H, int W, int C) {
  for (int n = 0; n < N; n++)
    for (int i = 0; i < H * W * C; i++)
      dst[xp_weight_row(n, N) * (H * W * C) + i] = src[n * (H * W * C) + i];
}
template <class D, class A, class B>
inline void __bang_matmul(D* dst, const A* a, const B* b, int M, int K, int N, int pos = 0) {
  for (int m = 0; m < M; m++)
    for (int n = 0; n < N; n++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += (float)a[m * K + k] * (float)XP_WEIGHT(b, n, N, k, K);
      dst[m * N + n] = (D)xp_scaled(sum, pos);
    }
}
template <class D, class A, class B, class C>
inline void __bang_matmul(D* dst, const A* a, const B* b, const C* acc, int M, int K, int N,
                          int pos = 0) {
  for (int m = 0; m < M; m++)
    for (int n = 0; n < N; n++) {
      float sum = 0;
      for (int k = 0; k < K; k++) sum += (float)a[m * K + k] * (float)XP_WEIGHT(b, n, N, k, K);
      dst[m * N + n] = (D)(xp_scaled(sum, pos) + (float)acc[m * N + n]);
    }
}
template <class D, class A, class B>
inline void __bang_mlp(D* dst, const A* x, const B* w, int height, int width, int pos = 0) {
  for (int h = 0; h < height; h++) {
    float sum = 0;
    for (int k = 0; k < width; k++) sum += (float)x[k] * (float)XP_WEIGHT(w, h, height, k, width);
    dst[h] = (D)xp_scaled(sum, pos);
  }
}
template <class D, class A, class C, class B>
inline void __bang_mlp(D* dst, const A* x, const C* bias, const B* w, int height, int width,
                       int pos = 0) {
  for (int h = 0; h < height; h++) {
    float sum = 0;
    for (int k = 0; k < width; k++) sum += (float)x[k] * (float)XP_WEIGHT(w, h, height, k, width);
    dst[h] = (D)(xp_scaled(sum, pos) + (float)bias[h]);
  }
}
// src [H][W][Ci], weights [Co][KH][KW][Ci], dst [Ho][Wo][Co]; no padding
#define XP_CONV(result)                                                                          \
  for (int y = 0; y < (H - KH) / SH + 1; y++)                                                    \
    for (int x = 0; x < (W - KW) / SW + 1; x++)                                                  \
      for (int o = 0; o < Co; o++) {                                                             \
        float sum = 0;                                                                           \
        for (int ky = 0; ky < KH; ky++)                                                          \
          for (int kx = 0; kx < KW; kx++)                                                        \
            for (int c = 0; c < Ci; c++)                                                         \
              sum += (float)src[((y * SH + ky) * W + (x * SW + kx)) * Ci + c] *                  \
                     (float)weight[xp_weight_row(o, Co) * (KH * KW * Ci) + (ky * KW + kx) * Ci + c]; \
        dst[(y * ((W - KW) / SW + 1) + x) * Co + o] = (D)(result);                               \
      }
template <class D, class A, class B>
inline void __bang_conv(D* dst, const A* src, const B* weight, int Ci, int H, int W, int KH, int KW,
                        int SW, int SH, int Co) {
  XP_CONV(sum)
}
template <class D, class A, class B, class C>
inline void __bang_conv(D* dst, const A* src, const B* weight, const C* bias, int Ci, int H, int W,
                        int KH, int KW, int SW, int SH, int Co) {
  XP_CONV(sum + (float)bias[o])
}
template <class D, class A, class B, class C>
inline void __bang_conv_partial(D* dst, const A* src, const B* weight, const C* partial, int Ci,
                                int H, int W, int KH, int KW, int SW, int SH, int Co) {
  XP_CONV(sum + (float)partial[(y * ((W - KW) / SW + 1) + x) * Co + o])
}
