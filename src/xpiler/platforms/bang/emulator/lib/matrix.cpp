// The matrix unit: rows of weights in WRAM times sources in NRAM. Floating products are added up in float, in ascending order.
#include "core.h"
#include "../xp_bang_matrix.h"

extern "C" {
int snprintf(char*, size_t, const char*, ...);
double ldexp(double, int), rint(double);
}

namespace xp_bang {
namespace {
const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};
enum { banks = 16, rows_of_bank = 4, row_block = banks * rows_of_bank };
bool whole(int type) { return type >= t_i8; }

double number(int type, const void* p, Count i) {
  switch (type) {
    case t_f32: return static_cast<const float*>(p)[i];
    case t_f16: return value(static_cast<const f16*>(p)[i]);
    case t_bf16: return value(static_cast<const bf16*>(p)[i]);
    case t_i8: return static_cast<const signed char*>(p)[i];
    case t_i16: return static_cast<const short*>(p)[i];
    default: return static_cast<const int*>(p)[i];
  }
}

void store(int type, void* p, Count i, double v) {
  switch (type) {
    case t_f32: static_cast<float*>(p)[i] = (float)v; break;
    case t_f16: put(static_cast<f16*>(p)[i], (float)v); break;
    case t_bf16: put(static_cast<bf16*>(p)[i], (float)v); break;
    default: {
      const double r = rint(v);
      static_cast<short*>(p)[i] = (short)(r > 32767 ? 32767 : r < -32768 ? -32768 : r != r ? 0 : r);
    }
  }
}

template <class T> T* room(T*& buffer, Count& have, Count n) {
  if (n > have) buffer = static_cast<T*>(xp_realloc(buffer, sizeof(T) * (xprt_size)(have = n)));
  if (!buffer) unknown("no memory for a matrix product", 0);
  return buffer;
}

// Weights as the unit sees them: [depth][rows].
struct Weights {
  Count rows, depth;
  int type;
  const double* at;
};

// Where row `row` starts in WRAM: row 64b + 4g + m is number 4b + m of bank g. In the flat layout of matmul and mlp there are no rows.
const char* row_start(const char* w, char* base, xprt_size bytes, Count row, Count row_bytes) {
  const Count bank = row / rows_of_bank % banks, slot = row / row_block * rows_of_bank + row % rows_of_bank;
  return base + bank * ((Count)bytes / banks) + (w - base) / banks + slot * row_bytes;
}

bool written(Op& o, const void* p, Count bytes) {
  xprt::unwritten(p, (xprt_size)bytes, o.line);
  return true;
}

void flat_weights(double* to, Operand w, Count rows, Count depth) {
  for (Count i = 0; i < rows * depth; ++i) to[i] = number(w.type, w.p, i);
}

// A weight that is not in banks: rows one after the other.
void plain_rows(double* to, Operand w, Count rows, Count depth) {
  for (Count r = 0; r < rows; ++r)
    for (Count k = 0; k < depth; ++k) to[k * rows + r] = number(w.type, w.p, r * depth + k);
}

void banked_rows(Op& o, double* to, Operand w, Count rows, Count depth, char* base, xprt_size bytes) {
  const Count row_bytes = depth * widths[w.type];
  for (Count r = 0; r < rows; ++r) {
    const char* row = row_start(static_cast<const char*>(w.p), base, bytes, r, row_bytes);
    written(o, row, row_bytes);
    for (Count k = 0; k < depth; ++k) to[k * rows + r] = number(w.type, row, k);
  }
}

bool take(Op& o, Operand w, Count rows, Count depth, bool convolution, Weights& into) {
  const Count row_bytes = depth * widths[w.type], padded = (rows + row_block - 1) / row_block * row_block;
  const bool flat = XP_BANG_FLAT_WEIGHTS;
  if (!o.weights(w.p, row_bytes * (flat ? rows : padded)).aligned(w.p, 32, "weight")) return false;
  static double* buffer;
  static Count have;
  double* to = room(buffer, have, rows * depth);
  char* base;
  xprt_size bytes;
  const bool placed = xprt::scratch_placed(w.p, &base, &bytes);
  if (flat && convolution) plain_rows(to, w, rows, depth);
  else if (flat) flat_weights(to, w, rows, depth);
  else if (placed) {
    o.want(bytes % banks == 0, "an array of weights is a multiple of 16 bytes long");
    if (!o) return false;
    banked_rows(o, to, w, rows, depth, base, bytes);
  }
  into = {rows, depth, w.type, to};
  return true;
}

// One output position: all rows times a source vector.
void dot_floats(const Weights& w, const double* x, float* sums) {
  for (Count r = 0; r < w.rows; ++r) sums[r] = 0;
  for (Count k = 0; k < w.depth; ++k) {
    const float a = (float)x[k];
    const double* row = w.at + k * w.rows;
    for (Count r = 0; r < w.rows; ++r) sums[r] += a * (float)row[r];
  }
}
void dot_integers(const Weights& w, const double* x, double* sums) {
  for (Count r = 0; r < w.rows; ++r) sums[r] = 0;
  for (Count k = 0; k < w.depth; ++k)
    for (Count r = 0; r < w.rows; ++r) sums[r] += x[k] * w.at[k * w.rows + r];
}

struct Result { Operand dst, extra; bool per_row; int pos; };      // extra: one value a row (bias), or one a result

void finish(const Weights& w, const double* x, const Result& result, Count position) {
  static double* doubles;
  static float* floats;
  static Count have_doubles, have_floats;
  const bool integer = whole(w.type);
  double* d = room(doubles, have_doubles, w.rows);
  float* f = room(floats, have_floats, w.rows);
  if (integer) dot_integers(w, x, d);
  else dot_floats(w, x, f);
  for (Count r = 0; r < w.rows; ++r) {
    const Count at = position * w.rows + r;
    double v = integer ? ldexp(d[r], result.pos) : (double)f[r];
    if (result.extra.p) v += number(result.extra.type, result.extra.p, result.per_row ? r : at);
    store(result.dst.type, const_cast<void*>(result.dst.p), at, v);
  }
}

void depth_rule(Op& o, Operand src, Operand w, Count depth, const char* what) {
  if (XP_BANG_FLAT_WEIGHTS) return;
  const bool halved = widths[w.type] < widths[src.type];
  o.multiple(depth * widths[w.type], halved ? 32 : 64, what);
}

void count_macs(Operand src, Count n) { tally(whole(src.type) ? count_mac_int : src.type == t_f32 ? count_mac_f32 : count_mac_f16, n); }

void product(Op& o, Operand dst, Operand a, Operand w, Operand extra, bool per_row, Count M, Count K, Count N, int pos) {
  if (M <= 0 || K <= 0 || N <= 0) o.want(false, "an extent that is not positive");
  if (!o) return;
  if (w.type == t_bf16) o.needs_arch(500);
  depth_rule(o, a, w, K, "the depth in bytes");
  const Count source = M * K * widths[a.type], target = M * N * widths[dst.type];
  o.reads(a.p, source);
  if (extra.p) o.reads(extra.p, (per_row ? N : M * N) * widths[extra.type]);
  if (!o.writes(const_cast<void*>(dst.p), target).apart(dst.p, target, a.p, source)) return;
  Weights weights;
  if (!take(o, w, N, K, false, weights)) return;
  written(o, a.p, source);
  count_macs(a, M * K * N);
  static double* buffer;
  static Count have;
  double* x = room(buffer, have, K);
  for (Count m = 0; m < M; ++m) {
    for (Count k = 0; k < K; ++k) x[k] = number(a.type, a.p, m * K + k);
    finish(weights, x, {dst, extra, per_row, pos}, m);
  }
}
}  // namespace

void matmul(Operand dst, Operand a, Operand w, Operand extra, Count M, Count K, Count N, int pos, int line) {
  Op o("__bang_matmul", line);
  product(o, dst, a, w, extra, false, M, K, N, pos);
}
void mlp(Operand dst, Operand x, Operand bias, Operand w, Count height, Count width, int pos, int line) {
  Op o("__bang_mlp", line);
  product(o, dst, x, w, bias, true, 1, width, height, pos);
}

void conv(const char* name, Operand dst, Operand src, Operand w, Operand bias, Operand partial, const Window& c, int pos, int line) {
  Op o(name, line);
  const Count span_h = (c.KH - 1) * c.dilation_h + 1, span_w = (c.KW - 1) * c.dilation_w + 1;
  o.want(c.Ci > 0 && c.H > 0 && c.W > 0 && c.KH > 0 && c.KW > 0 && c.Co > 0, "an extent that is not positive");
  o.want(c.SW > 0 && c.SH > 0 && c.SW < 1024 && c.SH < 1024, "a stride is from 1 to 1023");
  o.want(c.dilation_w > 0 && c.dilation_h > 0 && c.dilation_w < 1024 && c.dilation_h < 1024, "a dilation is from 1 to 1023");
  o.want(span_h <= c.H && span_w <= c.W, "the window is larger than the image");
  if (!o) return;
  const Count Ho = (c.H - span_h) / c.SH + 1, Wo = (c.W - span_w) / c.SW + 1, depth = c.KH * c.KW * c.Ci;
  depth_rule(o, src, w, c.Ci, "Ci in bytes");
  const Count source = c.H * c.W * c.Ci * widths[src.type], target = Ho * Wo * c.Co * widths[dst.type];
  o.reads(src.p, source);
  if (bias.p) o.reads(bias.p, c.Co * widths[bias.type]);
  if (partial.p) o.reads(partial.p, Ho * Wo * c.Co * widths[partial.type]);
  if (!o.writes(const_cast<void*>(dst.p), target).apart(dst.p, target, src.p, source)) return;
  Weights weights;
  if (!take(o, w, c.Co, depth, true, weights)) return;
  written(o, src.p, source);
  count_macs(src, Ho * Wo * depth * c.Co);
  static double* buffer;
  static Count have;
  double* x = room(buffer, have, depth);
  const Operand extra = bias.p ? bias : partial;
  for (Count y = 0; y < Ho; ++y)
    for (Count z = 0; z < Wo; ++z) {
      Count k = 0;
      for (Count i = 0; i < c.KH; ++i)
        for (Count j = 0; j < c.KW; ++j)
          for (Count n = 0; n < c.Ci; ++n)
            x[k++] = number(src.type, src.p, ((y * c.SH + i * c.dilation_h) * c.W + z * c.SW + j * c.dilation_w) * c.Ci + n);
      finish(weights, x, {dst, extra, bias.p != nullptr, pos}, y * Wo + z);
    }
}
}  // namespace xp_bang
