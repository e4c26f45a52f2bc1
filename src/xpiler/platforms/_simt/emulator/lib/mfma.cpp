// AMD's matrix instructions (MFMA) with their documented register layouts, for a wave of 64 lanes.
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
  bool whole;
};

template <class T> T element(const void* p, int i) {
  T v;
  __builtin_memcpy(&v, static_cast<const char*>(p) + (size_t)i * sizeof(T), sizeof v);
  return v;
}
double as_number(MatrixType type, const void* p, int i) {
  switch (type) {
    case type_i8: return element<signed char>(p, i);
    case type_f16: return half_to_float(element<u16>(p, i));
    case type_bf16: return bfloat_to_float(element<u16>(p, i));
    case type_xf32: return bits<float>(bits<u32>(element<float>(p, i)) & 0xffffe000u);
    case type_f64: return element<double>(p, i);
    default: return element<float>(p, i);
  }
}

constexpr int most = 32 * 32 * 2;
double A[most], B[most], D[most];      // one wave at a time runs a collective

void gather(const Mfma& f, void** records) {
  const int per_lane = f.m * f.k * f.blocks / 64;
  for (int lane = 0; lane < 64; ++lane) {
    const Record& r = *static_cast<Record*>(records[lane]);
    for (int i = 0; i < per_lane; ++i) {
      const Place p = input_place(f.m, f.blocks, per_lane, lane, i);
      A[(p.block * f.m + p.row) * f.k + p.k] = as_number(f.type, r.a, i);
      B[(p.block * f.k + p.k) * f.n + p.row] = as_number(f.type, r.b, i);
    }
  }
}
template <class T, class Step> void multiply(const Mfma& f, Step step) {
  for (int b = 0; b < f.blocks; ++b)
    for (int i = 0; i < f.m; ++i)
      for (int j = 0; j < f.n; ++j) {
        T sum = (T)D[(b * f.m + i) * f.n + j];
        for (int k = 0; k < f.k; ++k) sum = step(sum, (T)A[(b * f.m + i) * f.k + k], (T)B[(b * f.k + k) * f.n + j]);
        D[(b * f.m + i) * f.n + j] = (double)sum;
      }
}
template <class T> void exchange(const Mfma& f, void** records, bool load) {
  const int registers = f.m * f.n * f.blocks / 64;
  for (int lane = 0; lane < 64; ++lane) {
    const Record& r = *static_cast<Record*>(records[lane]);
    for (int v = 0; v < registers; ++v) {
      const Cell cell = output_cell(f.m, f.n, f.blocks, f.type == type_f64, lane, v);
      double& d = D[(cell.block * f.m + cell.row) * f.n + cell.column];
      if (load) d = (double)element<T>(r.c, v);
      else static_cast<T*>(r.d)[v] = (T)d;
    }
  }
}
template <class T, class Step> void perform(const Mfma& f, void** records, Step step) {
  gather(f, records);
  exchange<T>(f, records, true);
  multiply<T>(f, step);
  exchange<T>(f, records, false);
}

void answer(void** records, u64) {
  const Record* first = nullptr;
  bool whole = true;
  for (int lane = 0; lane < 64; ++lane) {
    if (records[lane]) first = static_cast<Record*>(records[lane]);
    else whole = false;
  }
  for (int lane = 0; lane < 64; ++lane)
    if (records[lane]) static_cast<Record*>(records[lane])->whole = whole;
  if (!whole) return;
  const Mfma& f = *first->form;
  if (f.type == type_i8)
    perform<int>(f, records, [](int s, int a, int b) { return (int)((unsigned)s + (unsigned)(a * b)); });
  else if (f.type == type_f64)
    perform<double>(f, records, [](double s, double a, double b) { return __builtin_fma(a, b, s); });
  else
    perform<float>(f, records, [](float s, float a, float b) { return s + a * b; });
}
}  // namespace

void mfma(const Mfma& form, const void* a, const void* b, const void* c, void* d, int cbsz, int abid, int blgp, int line) {
  if (XP_WARP_SIZE != 64) xprt::trap("unsupported", "matrix instructions (mfma) need a chip with 64-wide waves", line);
  if (cbsz || abid || blgp) {
    if (form.type != type_f64) xprt::trap("unsupported", "mfma with cbsz, abid or blgp other than 0", line);
    xprt::trap("unsupported", "mfma f64 with a negated operand", line);
  }
  Record r = {&form, a, b, c, d, true};
  xprt::warp_collective(all_lanes, &r, answer, form.name, line);
  if (!r.whole) xprt::trap("divergent_collective", "a matrix instruction (mfma) is executed by part of a wave only", line);
}
}  // namespace xp_simt
#endif
