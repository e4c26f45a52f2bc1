// The warp-wide matrix instructions of PTX: mma.sync, ldmatrix, stmatrix, with their documented register layouts.
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
struct MmaRecord {
  Shape shape;
  PtxType types[4];                    // of D, A, B, C
  u64 a[8], b[8], c[8], d[8];          // registers
  bool saturate, whole;
};

int pack_of(PtxType t) { return t.bits == 64 ? 1 : 32 / t.bits; }
double element(PtxType t, const u64* registers, int i) {
  const int pack = pack_of(t);
  const u64 v = registers[i / pack] >> (i % pack * t.bits);
  if (t.kind == 's' || t.kind == 'u') return (double)to_signed(t, v);
  return t.kind == 't' ? (double)bits<float>((u32)v & 0xffffe000u) : to_double(t, v);
}
void put(PtxType t, u64* registers, int i, double v) {
  const int pack = pack_of(t);
  const u64 mask = t.bits == 64 ? ~0ull : (1ull << t.bits) - 1;
  const u64 coded = t.kind == 's' ? (u64)(long long)v : from_double(t, v);
  u64& r = registers[i / pack];
  const int shift = i % pack * t.bits;
  r = (r & ~(mask << shift)) | (coded & mask) << shift;
}
double A[16 * 32], B[32 * 8], C[16 * 8];

template <class T, class Step> void multiply(const Shape& s, Step step) {
  for (int r = 0; r < s.m; ++r)
    for (int c = 0; c < s.n; ++c) {
      T sum = (T)C[r * s.n + c];
      for (int k = 0; k < s.k; ++k) sum = step(sum, (T)A[r * s.k + k], (T)B[k * s.n + c]);
      C[r * s.n + c] = (double)sum;
    }
}
void answer_mma(void** records, u64) {
  bool whole = true;
  for (int l = 0; l < 32; ++l) whole &= records[l] != nullptr;
  for (int l = 0; l < 32; ++l)
    if (records[l]) static_cast<MmaRecord*>(records[l])->whole = whole;
  if (!whole) return;
  const MmaRecord& first = *static_cast<MmaRecord*>(records[0]);
  const Shape s = first.shape;
  for (int l = 0; l < 32; ++l) {
    const MmaRecord& r = *static_cast<MmaRecord*>(records[l]);
    for (int i = 0; i < s.m * s.k / 32; ++i) {
      const Place p = place_a(s.m, pack_of(r.types[1]), l, i);
      A[p.row * s.k + p.column] = element(r.types[1], r.a, i);
    }
    for (int i = 0; i < s.k * s.n / 32; ++i) {
      const Place p = place_b(pack_of(r.types[2]), l, i);
      B[p.row * s.n + p.column] = element(r.types[2], r.b, i);
    }
    for (int i = 0; i < s.m * s.n / 32; ++i) C[place_c(l, i).row * s.n + place_c(l, i).column] = element(r.types[3], r.c, i);
  }
  if (first.types[0].bits == 64)
    multiply<double>(s, [](double sum, double a, double b) { return __builtin_fma(a, b, sum); });
  else if (first.types[0].kind != 's')
    multiply<float>(s, [](float sum, float a, float b) { return sum + a * b; });
  else if (first.saturate)
    multiply<double>(s, [](double sum, double a, double b) { return (double)saturated<int>(sum + a * b); });
  else
    multiply<int>(s, [](int sum, int a, int b) { return (int)((u32)sum + (u32)(a * b)); });
  for (int l = 0; l < 32; ++l) {
    MmaRecord& r = *static_cast<MmaRecord*>(records[l]);
    for (int i = 0; i < s.m * s.n / 32; ++i) put(r.types[0], r.d, i, C[place_c(l, i).row * s.n + place_c(l, i).column]);
  }
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
int registers_of(const Frame& f, const PtxArgument& a, u64* to) {
  if (a.kind != is_list) { to[0] = f.get(a); return 1; }
  for (int n = 0; n < a.count && n < 8; ++n) to[n] = f.get(f.program->lists[a.index + n]);
  return a.count;
}
void do_mma(Frame& f, const PtxInstruction& i) {
  MmaRecord r = {};
  if (!shape_of(i, r.shape) || !listed(r.shape, i)) f.unsupported(i, "this shape or type of mma is not modelled");
  if (!i.has("row") || !i.has("col")) f.unsupported(i, "A must be row-major and B column-major");
  if (i.has("xor") || i.has("and")) f.unsupported(i, "only multiply and add");
  for (int n = 0; n < 4; ++n) r.types[n] = i.type(n);
  r.saturate = i.has("satfinite");
  const Shape s = r.shape;
  const int counts[3] = {registers_of(f, *i.arguments[1], r.a), registers_of(f, *i.arguments[2], r.b),
                         registers_of(f, *i.arguments[3], r.c)};
  const int sizes[3] = {s.m * s.k, s.k * s.n, s.m * s.n};
  for (int n = 0; n < 3; ++n)
    if (counts[n] != sizes[n] / 32 / pack_of(r.types[n + 1])) f.unsupported(i, "an operand has the wrong count of registers");
  xprt::warp_collective(all_lanes, &r, answer_mma, "mma.sync", f.line);
  if (!r.whole) xprt::trap("divergent_collective", "mma.sync is executed by part of a warp only", f.line);
  const PtxArgument& d = *i.arguments[0];
  const int bytes = r.types[0].bits == 64 ? 8 : 4;
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
