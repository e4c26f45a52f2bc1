// AMD's matrix instructions (MFMA) with their documented register layouts, for a wave of 64 lanes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")             // the product's inner loop as vectors
#endif
#include "xp_simt.h"
#ifdef XP_HIP
#include "xp_float16.h"
#include "xp_amdgcn.h"

namespace xp_simt {
// Source: AMD matrix instruction calculator and the CDNA instruction set manuals. A lane holds `per_lane` consecutive k
// of one row of A (one column of B). Lanes run over rows first, then over blocks, then over groups of k.
struct Place { int block, row, k; };
constexpr Place input_place(int rows, int blocks, int per_lane, int lane, int i) {
  return Place{lane / rows % blocks, lane % rows, lane / (rows * blocks) * per_lane + i};
}
// An element of the result: column = lane % n. Single precision and integers: registers hold 4 consecutive rows, then the
// lane groups follow, then the next 4 registers. Double precision: registers stride over the lane groups.
struct Cell { int block, row, column; };
constexpr Cell output_cell(int m, int n, int blocks, bool is_double, int lane, int v) {
  if (m == 4) return Cell{lane / 4 % blocks, is_double ? lane / 16 : v, lane % 4};
  const int groups = 64 / n, per_block = m * n / 64, within = v % per_block;
  if (is_double) return Cell{v / per_block, within * groups + lane / n, lane % n};
  return Cell{v / per_block, within / 4 * 4 * groups + lane / n * 4 + within % 4, lane % n};
}
static_assert(output_cell(32, 32, 1, false, 33, 5).row == 13, "row 8 * (v / 4) + 4 * (lane / 32) + v % 4");
static_assert(output_cell(16, 16, 1, false, 17, 2).row == 6, "row 4 * (lane / 16) + v");

int element_bytes(MatrixType type) {
  switch (type) {
    case type_i8: return 1;
    case type_f16: case type_bf16: return 2;
    case type_f64: return 8;
    default: return 4;
  }
}

namespace {
struct Record {
  const Mfma* form;
  const void *a, *b, *c;
  void* d;
  int cbsz, abid;
  bool whole;
};
// CBSZ and ABID: of each 2^cbsz blocks in a row, all multiply by the block of A that abid counts.
int block_of_a(int block, const Record& r) { return r.cbsz ? (block >> r.cbsz << r.cbsz) + r.abid : block; }
// Sixteen blocks of 4 x 4: each has four lanes of its own, so that a part of a wave can have whole blocks.
bool separable(const Mfma& f) { return f.m == 4 && f.type != type_f64; }
bool has_block(void** records, int block) {
  for (int lane = 4 * block; lane < 4 * block + 4; ++lane)
    if (!records[lane]) return false;
  return true;
}

template <class T> T element(const void* p, int i) {
  T v;
  __builtin_memcpy(&v, static_cast<const char*>(p) + (size_t)i * sizeof(T), sizeof v);
  return v;
}
// Elements of an operand as the type T that sums are formed in.
template <class T, MatrixType type> T number(const void* p, int i) {
  switch (type) {
    case type_i8: return (T)element<signed char>(p, i);
    case type_f16: return (T)half_to_float(element<u16>(p, i));
    case type_bf16: return (T)bfloat_to_float(element<u16>(p, i));
    case type_xf32: return (T)bits<float>(bits<u32>(element<float>(p, i)) & 0xffffe000u);
    case type_f64: return (T)element<double>(p, i);
    default: return (T)element<float>(p, i);
  }
}
constexpr int most = 32 * 32 * 2;      // one wave at a time runs a collective
template <class T> struct Matrices { static T a[most], b[most], d[most]; };
template <class T> T Matrices<T>::a[most];
template <class T> T Matrices<T>::b[most];
template <class T> T Matrices<T>::d[most];

template <class T, MatrixType type> void gather(const Mfma& f, void** records) {
  const int per_lane = f.m * f.k * f.blocks / 64;
  for (int lane = 0; lane < 64; ++lane) {
    if (!records[lane]) continue;
    const Record& r = *static_cast<Record*>(records[lane]);
    const Place first = input_place(f.m, f.blocks, per_lane, lane, 0);     // consecutive k follow
    for (int i = 0; i < per_lane; ++i) {
      Matrices<T>::a[(first.block * f.m + first.row) * f.k + first.k + i] = number<T, type>(r.a, i);
      Matrices<T>::b[(first.block * f.k + first.k + i) * f.n + first.row] = number<T, type>(r.b, i);
    }
  }
}
template <class T, class Step> void multiply(const Mfma& f, const Record& r, Step step) {
  T *a = Matrices<T>::a, *b = Matrices<T>::b, *d = Matrices<T>::d;
  for (int row = 0; row < f.blocks * f.m; ++row) {
    const T* of_block = b + row / f.m * f.k * f.n;
    const T* of_row = a + (block_of_a(row / f.m, r) * f.m + row % f.m) * f.k;
    for (int k = 0; k < f.k; ++k)
      for (int j = 0; j < f.n; ++j) d[row * f.n + j] = step(d[row * f.n + j], of_row[k], of_block[k * f.n + j]);
  }
}
template <class T> void exchange(const Mfma& f, void** records, bool load) {
  const int registers = f.m * f.n * f.blocks / 64;
  for (int lane = 0; lane < 64; ++lane) {
    if (!records[lane]) continue;
    const Record& r = *static_cast<Record*>(records[lane]);
    for (int v = 0; v < registers; ++v) {
      const Cell cell = output_cell(f.m, f.n, f.blocks, f.type == type_f64, lane, v);
      T& d = Matrices<T>::d[(cell.block * f.m + cell.row) * f.n + cell.column];
      if (load) d = element<T>(r.c, v);
      else static_cast<T*>(r.d)[v] = d;
    }
  }
}
template <class T, MatrixType type, class Step> void perform(const Mfma& f, const Record& r, void** records, Step step) {
  gather<T, type>(f, records);
  exchange<T>(f, records, true);
  multiply<T>(f, r, step);
  exchange<T>(f, records, false);
}

// Whether each lane has all that its results need.
const Record* prepare(void** records) {
  const Record* first = nullptr;
  bool whole = true;
  for (int lane = 0; lane < 64; ++lane) {
    if (records[lane]) first = static_cast<Record*>(records[lane]);
    else whole = false;
  }
  bool any = false;
  for (int lane = 0; lane < 64; ++lane) {
    if (!records[lane]) continue;
    Record& r = *static_cast<Record*>(records[lane]);
    r.whole = whole || (separable(*r.form) && has_block(records, lane / 4) && has_block(records, block_of_a(lane / 4, r)));
    any |= r.whole;
  }
  return any ? first : nullptr;
}

void answer(void** records, u64) {
  const Record* first = prepare(records);
  if (!first) return;
  const Mfma& f = *first->form;
  const auto add_product = [](float s, float x, float y) { return s + x * y; };
  switch (f.type) {
    case type_i8: return perform<int, type_i8>(f, *first, records, [](int s, int x, int y) { return (int)((unsigned)s + (unsigned)(x * y)); });
    case type_f64: return perform<double, type_f64>(f, *first, records, [](double s, double x, double y) { return __builtin_fma(x, y, s); });
    case type_f16: return perform<float, type_f16>(f, *first, records, add_product);
    case type_bf16: return perform<float, type_bf16>(f, *first, records, add_product);
    case type_xf32: return perform<float, type_xf32>(f, *first, records, add_product);
    default: return perform<float, type_f32>(f, *first, records, add_product);
  }
}
}  // namespace

void mfma(const Mfma& form, const void* a, const void* b, const void* c, void* d, int cbsz, int abid, int blgp, int line) {
  if (XP_WARP_SIZE != 64) xprt::trap("unsupported", "matrix instructions (mfma) need a chip with 64-wide waves", line);
  if (form.type == type_f64 && (cbsz || abid || blgp)) xprt::trap("unsupported", "mfma f64 with a negated operand", line);
  if (blgp) xprt::trap("unsupported", "mfma with blgp other than 0", line);
  if (cbsz < 0 || abid < 0 || 1 << cbsz > form.blocks || abid >= 1 << cbsz)
    xprt::trap("unsupported", "mfma with cbsz or abid beyond its blocks", line);
  Record r = {&form, a, b, c, d, cbsz, abid, true};
  xprt::warp_collective(all_lanes, &r, answer, form.name, line);
  if (!r.whole) xprt::trap("divergent_collective", "a matrix instruction (mfma) is executed by part of a wave only", line);
}
}  // namespace xp_simt
#endif
