// The warp-wide matrix instructions of PTX: mma.sync, ldmatrix, stmatrix, with their documented register layouts.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")             // the product's inner loop as vectors
#endif
#include "ptx.h"
#ifndef XP_HIP

namespace xp_simt {
namespace {
// Source: PTX ISA, "Matrix fragments for mma". A 32-bit register (64-bit for f64) holds `pack` elements. group = lane / 4,
// member = lane % 4. Element i stands in register i / pack.
struct Place { int row, column; };
// A is m x k: registers alternate between the upper and the lower 8 rows (if m is 16), then go on along k.
constexpr Place place_a(int m, int pack, int lane, int i) {
  const int reg = i / pack, halves = m / 8;
  return {lane / 4 + 8 * (reg % halves), lane % 4 * pack + i % pack + reg / halves * 4 * pack};
}
// B is k x n, n = 8: one column a group.
constexpr Place place_b(int pack, int lane, int i) {
  return {lane % 4 * pack + i % pack + i / pack * 4 * pack, lane / 4};
}
// C and D are m x n: two columns a member, upper 8 rows first.
constexpr Place place_c(int lane, int i) { return {lane / 4 + 8 * (i / 2), lane % 4 * 2 + i % 2}; }
static_assert(place_a(16, 2, 5, 6).row == 9 && place_a(16, 2, 5, 6).column == 10, "m16n8k16: a6 of lane 5");
static_assert(place_b(4, 7, 5).row == 29 && place_b(4, 7, 5).column == 1, "m16n8k32: b5 of lane 7");

struct Shape { int m, n, k; };
// What an instruction says, worked out once; `at_*`: where element i of lane l stands, at [l * elements + i].
struct Form {
  Shape shape;
  PtxType types[4];                    // of D, A, B, C
  bool saturate;
  u16 at_a[16 * 32], at_b[32 * 8], at_c[16 * 8];
};
struct MmaRecord {
  const Form* form;
  u64 a[8], b[8], c[8], d[8];          // registers
  bool whole;
};

int pack_of(PtxType t) { return t.bits == 64 ? 1 : 32 / t.bits; }
template <class T> T number(PtxType t, u64 v) {
  if (t.kind == 's' || t.kind == 'u') return (T)to_signed(t, v);
  if (t.kind == 't') return (T)bits<float>((u32)v & 0xffffe000u);
  if (t.bits == 64) return (T)bits<double>(v);
  return (T)(t.bits == 32 ? bits<float>((u32)v) : t.kind == 'h' ? bfloat_to_float((u16)v) : half_to_float((u16)v));
}
// Spreads a lane's registers over a matrix.
template <class T> void scatter(PtxType t, const u64* registers, int elements, const u16* at, T* to) {
  const int pack = pack_of(t);
  for (int i = 0, r = 0; i < elements; ++r)
    for (int part = 0; part < pack && i < elements; ++part, ++i) to[at[i]] = number<T>(t, registers[r] >> (part * t.bits));
}
void put(PtxType t, u64* registers, int i, double v) {
  const int pack = pack_of(t);
  const u64 mask = t.bits == 64 ? ~0ull : (1ull << t.bits) - 1;
  const u64 coded = t.kind == 's' ? (u64)(long long)v : from_double(t, v);
  u64& r = registers[i / pack];
  const int shift = i % pack * t.bits;
  r = (r & ~(mask << shift)) | (coded & mask) << shift;
}
template <class T> struct Matrices { static T a[16 * 32], b[32 * 8], c[16 * 8]; };
template <class T> T Matrices<T>::a[16 * 32];
template <class T> T Matrices<T>::b[32 * 8];
template <class T> T Matrices<T>::c[16 * 8];

template <class T, class Step> void perform(const Form& f, void** records, Step step) {
  const Shape s = f.shape;
  T *a = Matrices<T>::a, *b = Matrices<T>::b, *c = Matrices<T>::c;
  const int in_a = s.m * s.k / 32, in_b = s.k * s.n / 32, in_c = s.m * s.n / 32;
  for (int l = 0; l < 32; ++l) {
    const MmaRecord& r = *static_cast<MmaRecord*>(records[l]);
    scatter(f.types[1], r.a, in_a, f.at_a + l * in_a, a);
    scatter(f.types[2], r.b, in_b, f.at_b + l * in_b, b);
    scatter(f.types[3], r.c, in_c, f.at_c + l * in_c, c);
  }
  for (int r = 0; r < s.m; ++r)
    for (int k = 0; k < s.k; ++k)
      for (int n = 0; n < s.n; ++n) c[r * s.n + n] = step(c[r * s.n + n], a[r * s.k + k], b[k * s.n + n]);
  for (int l = 0; l < 32; ++l) {
    MmaRecord& r = *static_cast<MmaRecord*>(records[l]);
    for (int i = 0; i < in_c; ++i) put(f.types[0], r.d, i, (double)c[f.at_c[l * in_c + i]]);
  }
}
void answer_mma(void** records, u64) {
  bool whole = true;
  for (int l = 0; l < 32; ++l) whole &= records[l] != nullptr;
  for (int l = 0; l < 32; ++l)
    if (records[l]) static_cast<MmaRecord*>(records[l])->whole = whole;
  if (!whole) return;
  const Form& f = *static_cast<MmaRecord*>(records[0])->form;
  if (f.types[0].bits == 64)
    perform<double>(f, records, [](double sum, double a, double b) { return __builtin_fma(a, b, sum); });
  else if (f.types[0].kind != 's')
    perform<float>(f, records, [](float sum, float a, float b) { return sum + a * b; });
  else if (f.saturate)
    perform<double>(f, records, [](double sum, double a, double b) { return (double)saturated<int>(sum + a * b); });
  else
    perform<int>(f, records, [](int sum, int a, int b) { return (int)((u32)sum + (u32)(a * b)); });
}

bool shape_of(const PtxInstruction& i, Shape& s) {
  for (int p = 1; p < i.parts_count; ++p) {
    int m = 0, n = 0, k = 0;
    const char* t = i.parts[p];
    if (*t != 'm') continue;
    for (++t; *t >= '0' && *t <= '9'; ++t) m = m * 10 + (*t - '0');
    if (*t != 'n') continue;
    for (++t; *t >= '0' && *t <= '9'; ++t) n = n * 10 + (*t - '0');
    if (*t != 'k') continue;
    for (++t; *t >= '0' && *t <= '9'; ++t) k = k * 10 + (*t - '0');
    s = {m, n, k};
    return true;
  }
  return false;
}
// The combinations of shape and element type that the manual lists (dense; n is 8 in all).
bool listed(Shape s, const PtxInstruction& i) {
  const PtxType a = i.type(1), d = i.type(0);
  if (s.n != 8 || i.types_count != 4 || i.has("sp")) return false;
  if (a.bits == 64) return (s.m == 8 && s.k == 4) || (s.m == 16 && (s.k == 4 || s.k == 8 || s.k == 16));
  if (a.kind == 't') return s.m == 16 && (s.k == 4 || s.k == 8) && d.bits == 32;
  if (a.bits == 16) return s.m == 16 && (s.k == 8 || s.k == 16) && d.kind == 'f' && (a.kind == 'f' || d.bits == 32);
  if (a.bits == 8) return ((s.m == 8 && s.k == 16) || (s.m == 16 && (s.k == 16 || s.k == 32))) && d.kind == 's';
  return false;
}
// Operands of a fragment: a list, or a single register.
void registers_of(const Frame& f, const PtxArgument& a, u64* to) {
  if (a.kind != is_list) to[0] = f.get(a);
  else for (int n = 0; n < a.count; ++n) to[n] = f.get(f.program->lists[a.index + n]);
}
void place(Form& f) {
  const Shape s = f.shape;
  const int in_a = s.m * s.k / 32, in_b = s.k * s.n / 32, in_c = s.m * s.n / 32;
  for (int l = 0; l < 32; ++l) {
    for (int i = 0; i < in_a; ++i) {
      const Place p = place_a(s.m, pack_of(f.types[1]), l, i);
      f.at_a[l * in_a + i] = (u16)(p.row * s.k + p.column);
    }
    for (int i = 0; i < in_b; ++i) {
      const Place p = place_b(pack_of(f.types[2]), l, i);
      f.at_b[l * in_b + i] = (u16)(p.row * s.n + p.column);
    }
    for (int i = 0; i < in_c; ++i) f.at_c[l * in_c + i] = (u16)(place_c(l, i).row * s.n + place_c(l, i).column);
  }
}
const Form* form_of(const Frame& f, const PtxInstruction& i) {
  Form* form = static_cast<Form*>(arena(sizeof(Form)));
  if (i.arguments_count != 4) f.unsupported(i, "four operands are expected");
  if (!shape_of(i, form->shape) || !listed(form->shape, i)) f.unsupported(i, "this shape or type of mma is not modelled");
  if (!i.has("row") || !i.has("col")) f.unsupported(i, "A must be row-major and B column-major");
  if (i.has("xor") || i.has("and")) f.unsupported(i, "only multiply and add");
  for (int n = 0; n < 4; ++n) form->types[n] = i.type(n);
  form->saturate = i.has("satfinite");
  const Shape s = form->shape;
  const int sizes[4] = {s.m * s.n, s.m * s.k, s.k * s.n, s.m * s.n};
  for (int n = 0; n < 4; ++n) {
    const PtxArgument& a = *i.arguments[n];
    if ((a.kind == is_list ? a.count : 1) != sizes[n] / 32 / pack_of(form->types[n]))
      f.unsupported(i, "an operand has the wrong count of registers");
  }
  place(*form);
  i.form = form;
  return form;
}
void do_mma(Frame& f, const PtxInstruction& i) {
  MmaRecord r;
  r.form = i.form ? static_cast<const Form*>(i.form) : form_of(f, i);
  r.whole = true;
  for (u64& v : r.d) v = 0;
  registers_of(f, *i.arguments[1], r.a);
  registers_of(f, *i.arguments[2], r.b);
  registers_of(f, *i.arguments[3], r.c);
  xprt::warp_collective(all_lanes, &r, answer_mma, "mma.sync", f.line);
  if (!r.whole) xprt::trap("divergent_collective", "mma.sync is executed by part of a warp only", f.line);
  const PtxArgument& d = *i.arguments[0];
  const int bytes = r.form->types[0].bits == 64 ? 8 : 4;
  if (d.kind != is_list) return f.set(d, r.d[0], bytes);
  for (int n = 0; n < d.count; ++n) f.set(f.program->lists[d.index + n], r.d[n], bytes);
}

// ldmatrix and stmatrix: lane 8 j + r gives the address of row r (8 elements of 16 bits) of matrix j. Register j of a lane
// holds elements (lane / 4, 2 (lane % 4)) and the next in the row; transposed: in the column.
struct MatrixRecord {
  u16 row[8];
  u32 registers[4];
  int count;
  bool transposed, store;
};
void answer_matrix(void** records, u64) {
  u16 cells[4][8][8];
  const MatrixRecord* any = nullptr;
  for (int l = 0; l < 32; ++l)
    if (records[l]) any = static_cast<MatrixRecord*>(records[l]);
  for (int j = 0; j < any->count; ++j)
    for (int l = 0; l < 32; ++l) {
      MatrixRecord* r = static_cast<MatrixRecord*>(records[l]);
      if (any->store) {
        for (int e = 0; e < 2 && r; ++e) {
          const int x = l / 4, y = l % 4 * 2 + e;
          (any->transposed ? cells[j][y][x] : cells[j][x][y]) = (u16)(r->registers[j] >> (16 * e));
        }
      } else if (l / 8 == j) {
        for (int c = 0; c < 8; ++c) cells[j][l % 8][c] = r ? r->row[c] : (u16)xprt::random();
      }
    }
  for (int j = 0; j < any->count; ++j)
    for (int l = 0; l < 32; ++l) {
      MatrixRecord* r = static_cast<MatrixRecord*>(records[l]);
      if (!r) continue;
      if (any->store) {
        if (l / 8 == j) for (int c = 0; c < 8; ++c) r->row[c] = cells[j][l % 8][c];
        continue;
      }
      const int x = l / 4, y = l % 4 * 2;
      const u16 low = any->transposed ? cells[j][y][x] : cells[j][x][y];
      const u16 high = any->transposed ? cells[j][y + 1][x] : cells[j][x][y + 1];
      r->registers[j] = (u32)high << 16 | low;
    }
}
void do_matrix(Frame& f, const PtxInstruction& i) {
  MatrixRecord r = {};
  r.store = same(i.part(0), "stmatrix");
  r.count = i.has("x4") ? 4 : i.has("x2") ? 2 : i.has("x1") ? 1 : 0;
  r.transposed = i.has("trans");
  const PtxArgument& data = *i.arguments[r.store ? 1 : 0];
  const int given = data.kind == is_list ? data.count : 1;
  if (!i.has("m8n8") || !r.count || given != r.count) f.unsupported(i, "only m8n8 with x1, x2 or x4 and as many registers");
  char* p = f.address(i, r.store ? 0 : 1);
  const bool gives_row = (int)xprt::self().lane < 8 * r.count;
  bool fine = gives_row;
  if (gives_row) {
    xprt::aligned(p, 16, f.line);
    fine = r.store ? xprt::write(p, 16, f.line) : xprt::read(p, 16, f.line);
  }
  if (!r.store) {
    if (fine) __builtin_memcpy(r.row, p, 16);
  } else {
    for (int n = 0; n < r.count; ++n) r.registers[n] = (u32)f.get(data.kind == is_list ? f.program->lists[data.index + n] : data);
  }
  xprt::warp_collective(all_lanes, &r, answer_matrix, i.part(0), f.line);
  if (r.store) {
    if (fine) __builtin_memcpy(p, r.row, 16);
    return;
  }
  for (int n = 0; n < r.count; ++n) f.set(data.kind == is_list ? f.program->lists[data.index + n] : data, r.registers[n], 4);
}
}  // namespace

Handler find_collective(const PtxInstruction& i) {
  if (same(i.part(0), "mma") && same(i.part(1), "sync")) return do_mma;
  return same(i.part(0), "ldmatrix") || same(i.part(0), "stmatrix") ? do_matrix : nullptr;
}
}  // namespace xp_simt
#endif
