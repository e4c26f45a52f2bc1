// Warp matrix fragments: which lane holds what, loads and stores with their checks, and the product.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")             // the product's inner loop as vectors
#endif
#include "xp_simt.h"
#ifndef XP_HIP
#include "xp_wmma.h"

namespace xp_simt {
namespace {
int bytes_of(FragmentType t) {
  switch (t) {
    case frag_s8: case frag_u8: return 1;
    case frag_f16: case frag_bf16: return 2;
    case frag_f64: return 8;
    default: return 4;
  }
}
u64 mixed(u64 x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
// The place of element e (row-major in its matrix) among 32 * num_elements places: an odd factor, an exclusive or.
struct Layout {
  unsigned factor, inverse, flip, mask;
  explicit Layout(const Fragment& f) : mask((unsigned)(f.rows * f.columns) - 1) {
    const u64 shape = (u64)f.use | (u64)f.type << 4 | (u64)f.column_major << 8 | (u64)f.m << 12 | (u64)f.n << 20 | (u64)f.k << 28;
    const u64 seed = mixed(xprt::layout_seed() * 0x9e3779b97f4a7c15ull + mixed(shape));
    factor = (unsigned)seed | 1;
    inverse = factor;                                          // Newton's iteration doubles the right bits: 3, 6, ... 48
    for (int i = 0; i < 4; ++i) inverse *= 2 - factor * inverse;
    flip = (unsigned)(seed >> 32) & mask;
  }
  unsigned place(unsigned e) const { return (e * factor ^ flip) & mask; }      // lane = place % 32, i = place / 32
  unsigned element(unsigned place) const { return (place ^ flip) * inverse & mask; }
};

// Elements as the type T that sums are formed in.
template <class T> T get(FragmentType t, const void* x, int i) {
  switch (t) {
    case frag_s8: return (T) static_cast<const signed char*>(x)[i];
    case frag_u8: return (T) static_cast<const unsigned char*>(x)[i];
    case frag_s32: return (T) static_cast<const int*>(x)[i];
    case frag_f16: return (T)half_to_float(static_cast<const u16*>(x)[i]);
    case frag_bf16: return (T)bfloat_to_float(static_cast<const u16*>(x)[i]);
    case frag_tf32: return (T)bits<float>(static_cast<const u32*>(x)[i] & 0xffffe000u);   // the low bits are not looked at
    case frag_f64: return (T) static_cast<const double*>(x)[i];
    default: return (T) static_cast<const float*>(x)[i];
  }
}
template <class T> void put(FragmentType t, void* x, int i, T v) {
  switch (t) {
    case frag_s32: static_cast<int*>(x)[i] = (int)v; break;
    case frag_f16: static_cast<u16*>(x)[i] = float_to_half((float)v); break;
    case frag_f64: static_cast<double*>(x)[i] = (double)v; break;
    default: static_cast<float*>(x)[i] = (float)v;
  }
}

// The manual asks for 32 bytes; hardware faults below the width of its loads, 16.
void check_address(const void* p, unsigned stride, int element, int line) {
  if (xprt::self().lane != 0) return;
  if ((size_t)p % 16)
    xprt::finding(xprt::severity_error, "misaligned", "the address of a wmma matrix is not even 16-byte aligned (32 are asked for)", line);
  else if ((size_t)p % 32)
    xprt::finding(xprt::severity_note, "misaligned", "the address of a wmma matrix is not 32-byte aligned", line);
  if (stride * (unsigned)element % 16)                  // the manual says so for 2- and 4-byte elements only
    xprt::finding(element == 2 || element == 4 ? xprt::severity_error : xprt::severity_note, "misaligned",
                  "ldm of a wmma matrix is not a multiple of 16 bytes", line);
}

// Declares the lines of memory that the warp touches, a lane for each; tells which may be touched.
u64 allowed_lines(const Fragment& f, const void* p, unsigned stride, bool column_major, bool store, int line) {
  const int lines = column_major ? f.columns : f.rows, length = column_major ? f.rows : f.columns;
  const int element = bytes_of(f.type), lane = (int)xprt::self().lane;
  const Group warp = {all_lanes, false};
  check_address(p, stride, element, line);
  warp_barrier(warp, store ? "wmma::store_matrix_sync" : "wmma::load_matrix_sync", line);
  if (!xprt::checks()) return ~0ull;
  bool fine = true;
  if (lane < lines) {
    char* at = const_cast<char*>(static_cast<const char*>(p)) + (size_t)lane * stride * (unsigned)element;
    const xprt_size bytes = (xprt_size)(length * element);
    fine = store ? xprt::write(at, bytes, line) : xprt::read(at, bytes, line);
  }
  return ballot(warp, fine, store ? "wmma::store_matrix_sync" : "wmma::load_matrix_sync", line);
}

// Calls visit(i, offset in elements) for the lane's own elements in lines that may be touched.
template <class Visit>
void own_elements(const Fragment& f, unsigned stride, bool column_major, u64 lines, Visit visit) {
  const Layout layout(f);
  const unsigned lane = xprt::self().lane, columns = (unsigned)f.columns;
  for (unsigned i = 0; i < (layout.mask + 1) / 32; ++i) {
    const unsigned e = layout.element(i * 32 + lane), r = e / columns, c = e % columns;
    if (lines >> (column_major ? c : r) & 1) visit((int)i, column_major ? (size_t)c * stride + r : (size_t)r * stride + c);
  }
}
void move_element(void* to, const void* from, int element) {
  switch (element) {
    case 1: *static_cast<char*>(to) = *static_cast<const char*>(from); break;
    case 2: *static_cast<u16*>(to) = *static_cast<const u16*>(from); break;
    case 4: *static_cast<u32*>(to) = *static_cast<const u32*>(from); break;
    default: *static_cast<u64*>(to) = *static_cast<const u64*>(from);
  }
}
}  // namespace

void load_fragment(const Fragment& f, void* x, const void* p, unsigned stride, bool column_major, int line) {
  const u64 lines = allowed_lines(f, p, stride, column_major, false, line);
  const int element = bytes_of(f.type);
  own_elements(f, stride, column_major, lines, [&](int i, size_t offset) {
    move_element(static_cast<char*>(x) + i * element, static_cast<const char*>(p) + offset * (size_t)element, element);
  });
}
void store_fragment(const Fragment& f, const void* x, void* p, unsigned stride, bool column_major, int line) {
  const u64 lines = allowed_lines(f, p, stride, column_major, true, line);
  const int element = bytes_of(f.type);
  own_elements(f, stride, column_major, lines, [&](int i, size_t offset) {
    move_element(static_cast<char*>(p) + offset * (size_t)element, static_cast<const char*>(x) + i * element, element);
  });
}

namespace {
struct Record {
  const Fragment *fa, *fb, *fc, *fd;
  const void *a, *b, *c;
  void* d;
  bool saturate, whole;
};
// One warp at a time runs a collective.
template <class T> struct Matrices { static T a[32 * 16], b[16 * 32], sums[32 * 32]; };
template <class T> T Matrices<T>::a[32 * 16];
template <class T> T Matrices<T>::b[16 * 32];
template <class T> T Matrices<T>::sums[32 * 32];

// Calls visit(e, lane, i) for every element; `visit` is inlined with the fragment's type known in each branch.
template <class Visit> inline void every_element(const Fragment& f, Visit visit) {
  const Layout layout(f);
  for (int e = 0; e < f.rows * f.columns; ++e) {
    const unsigned place = layout.place((unsigned)e);
    visit(e, (int)(place % 32), (int)(place / 32));
  }
}
template <class T> void gather(const Fragment& f, void** records, const void* Record::*field, T* to) {
  const void* x[32];
  for (int lane = 0; lane < 32; ++lane) x[lane] = static_cast<Record*>(records[lane])->*field;
  const auto as = [&](FragmentType t) { every_element(f, [&](int e, int lane, int i) { to[e] = get<T>(t, x[lane], i); }); };
  switch (f.type) {
    case frag_f16: return as(frag_f16);
    case frag_f32: return as(frag_f32);
    case frag_s8: return as(frag_s8);
    default: return as(f.type);
  }
}
template <class T, class Step> void perform(void** records, Step step) {
  const Record& first = *static_cast<Record*>(records[0]);
  T *a = Matrices<T>::a, *b = Matrices<T>::b, *sums = Matrices<T>::sums;
  gather<T>(*first.fa, records, &Record::a, a);
  gather<T>(*first.fb, records, &Record::b, b);
  gather<T>(*first.fc, records, &Record::c, sums);
  const int m = first.fa->m, n = first.fa->n, depth = first.fa->k;
  for (int r = 0; r < m; ++r)
    for (int k = 0; k < depth; ++k)
      for (int c = 0; c < n; ++c) sums[r * n + c] = step(sums[r * n + c], a[r * depth + k], b[k * n + c]);
  every_element(*first.fd, [&](int e, int lane, int i) {
    put(first.fd->type, static_cast<Record*>(records[lane])->d, i, sums[e]);
  });
}
void answer(void** records, u64) {
  bool whole = true;
  for (int lane = 0; lane < 32; ++lane) whole &= records[lane] != nullptr;
  for (int lane = 0; lane < 32; ++lane)
    if (records[lane]) static_cast<Record*>(records[lane])->whole = whole;
  if (!whole) return;
  const Record& first = *static_cast<Record*>(records[0]);
  if (first.fd->type == frag_f64)
    perform<double>(records, [](double s, double a, double b) { return __builtin_fma(a, b, s); });
  else if (first.fd->type != frag_s32)
    perform<float>(records, [](float s, float a, float b) { return s + a * b; });
  else if (first.saturate)
    perform<long long>(records, [](long long s, long long a, long long b) {
      const long long v = s + a * b;
      return v > 2147483647 ? 2147483647 : v < -2147483647 - 1 ? -2147483647 - 1 : v;
    });
  else
    perform<int>(records, [](int s, int a, int b) { return (int)((u32)s + (u32)(a * b)); });
}
}  // namespace

void multiply_fragments(const Fragment& fa, const Fragment& fb, const Fragment& fc, const Fragment& fd, const void* a,
                        const void* b, const void* c, void* d, bool saturate, int line) {
  Record r = {&fa, &fb, &fc, &fd, a, b, c, d, saturate, true};
  xprt::warp_collective(all_lanes, &r, answer, "wmma::mma_sync", line);
  if (!r.whole) xprt::trap("divergent_collective", "wmma::mma_sync is executed by part of a warp only", line);
}

// Round to nearest, ties away from zero, to 10 bits of fraction.
float to_tf32(float f) {
  const u32 u = bits<u32>(f);
  return (u & 0x7f800000u) == 0x7f800000u ? f : bits<float>((u + 0x1000u) & 0xffffe000u);
}
}  // namespace xp_simt
#endif
