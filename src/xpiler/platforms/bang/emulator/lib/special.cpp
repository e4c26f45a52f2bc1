// Instructions that move, pick, count or search elements.
#include "core.h"
#include "../xp_bang_special.h"

extern "C" int snprintf(char*, size_t, const char*, ...);

namespace xp_bang {
namespace {
const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};

// Elements of two arrays that lie apart, with their states.
struct Mover {
  char* dst;
  const char* src;
  Count w;
  u8* to;
  const u8* from;
  Mover(void* d, Count dn, const void* s, Count sn, Count w)
      : dst(static_cast<char*>(d)), src(static_cast<const char*>(s)), w(w), to(xprt::byte_states(d, (xprt_size)(dn * w))),
        from(xprt::byte_states(s, (xprt_size)(sn * w))) {}
  void move(Count i, Count j) const {
    __builtin_memmove(dst + i * w, src + j * w, (xprt_size)w);
    for (Count k = 0; to && from && k < w; ++k) to[i * w + k] = (u8)((to[i * w + k] & ~xprt::state_initialised) | (from[j * w + k] & xprt::state_initialised));
  }
  void set(Count i, const void* v) const {
    __builtin_memcpy(dst + i * w, v, (xprt_size)w);
    for (Count k = 0; to && k < w; ++k) to[i * w + k] |= xprt::state_initialised;
  }
};

float number(int type, const void* p, Count i) {
  return type == t_f32 ? static_cast<const float*>(p)[i] : type == t_f16 ? value(static_cast<const f16*>(p)[i]) : value(static_cast<const bf16*>(p)[i]);
}
void store(int type, void* p, Count i, float v) {
  if (type == t_f32) static_cast<float*>(p)[i] = v;
  else if (type == t_f16) put(static_cast<f16*>(p)[i], v);
  else put(static_cast<bf16*>(p)[i], v);
}
// A scalar comes back: the core has waited for what the vector unit did before.
void waited() { here->touched_count = here->touched_next = 0; }
}  // namespace

void turn(Turn how, const char* name, unsigned width, void* dst, const void* src, Count H, Count W, int line) {
  Op o(name, line);
  const Count w = width, n = H * W, bytes = n * w;
  o.want(H > 0 && W > 0, "an extent that is not positive");
  if (old_arch) o.multiple(H * w, 64, "H in bytes").multiple(W * w, 64, "W in bytes");
  if (!o || !o.reads(src, bytes).writes(dst, bytes).apart(dst, bytes, src, bytes)) return;
  o.travelled = true;
  tally(count_move, n);
  const Mover m(dst, n, src, n, w);
  for (Count h = 0; h < H; ++h)
    for (Count c = 0; c < W; ++c) {
      const Count from = h * W + c;
      switch (how) {
        case turn_transpose: m.move(c * H + h, from); break;
        case turn_90: m.move(c * H + (H - 1 - h), from); break;
        case turn_180: m.move(n - 1 - from, from); break;
        case turn_270: m.move((W - 1 - c) * H + h, from); break;
        case turn_mirror: m.move(h * W + (W - 1 - c), from); break;
      }
    }
}

void pad(const char* name, unsigned width, void* dst, const void* src, Count C, Count H, Count W, Count top, Count bottom, Count left,
         Count right, const void* v, int line) {
  Op o(name, line);
  o.want(C > 0 && H > 0 && W > 0, "an extent that is not positive");
  o.want(top >= 0 && bottom >= 0 && left >= 0 && right >= 0, "a negative margin");
  o.want(H != 1 || (left == 0 && right == 0), "of an image of one row, left and right must be 0");
  const Count w = width, Wo = W + left + right, Ho = H + top + bottom, in = H * W * C, out = Ho * Wo * C;
  if (!o || !o.reads(src, in * w).writes(dst, out * w).apart(dst, out * w, src, in * w)) return;
  o.travelled = true;
  tally(count_move, out);
  const Mover m(dst, out, src, in, w);
  for (Count y = 0; y < Ho; ++y)
    for (Count x = 0; x < Wo; ++x)
      for (Count c = 0; c < C; ++c) {
        const Count at = (y * Wo + x) * C + c, sy = y - top, sx = x - left;
        if (sy < 0 || sy >= H || sx < 0 || sx >= W) m.set(at, v);
        else m.move(at, (sy * W + sx) * C + c);
      }
}

// The order in which a following plain copy to WRAM brings each row to its bank: bank after bank, 4 rows of each block of 64.
void reshape_filter(unsigned width, void* dst, const void* src, Count N, Count H, Count W, Count C, int line) {
  Op o("__bang_reshape_filter", line);
  const Count w = width, row = H * W * C, bytes = N * row * w;
  o.want(N > 0 && row > 0, "an extent that is not positive");
  if (o) o.multiple(N, 64, "the number of rows").multiple(row * w, old_arch ? 128 : 32, "a row in bytes");
  if (!o || !o.reads(src, bytes).writes(dst, bytes).apart(dst, bytes, src, bytes)) return;
  o.travelled = true;
  tally(count_move, N * row);
  const Mover m(dst, N, src, N, row * w);
  const Count blocks = N / 64;
  Count at = 0;
  if (old_arch) {
    for (Count s = 0; s < 64; ++s)
      for (Count t = 0; t < blocks; ++t) m.move(at++, 64 * t + s);
    return;
  }
  for (Count g = 0; g < 16; ++g)
    for (Count b = 0; b < blocks; ++b)
      for (Count k = 0; k < 4; ++k) m.move(at++, 64 * b + 4 * g + k);
}

// ---- reductions --------------------------------------------------------------------------------------------

void reduce_sum(int type, void* dst, const void* src, Count n, int line) {
  Op o("__bang_reduce_sum", line);
  const Count w = widths[type], group = 128 / w;
  o.count(n, w);
  if (!o) return;
  o.multiple(n * w, 128, "the length in bytes");
  n = n / group * group;
  if (!n || !o.reads(src, n * w).writes(dst, n * w).in_step(dst, src, n * w)) return;
  xprt::unwritten(src, (xprt_size)(n * w), line);
  o.travelled = true;
  tally(count_reduce, n);
  for (Count g = 0; g < n; g += group) {
    float total = 0;
    for (Count i = 0; i < group; ++i) total += number(type, src, g + i);
    store(type, dst, g, total);
    xprt::initialise(static_cast<char*>(dst) + g * w, (xprt_size)w);
    for (Count i = 1; old_arch && i < group; ++i) store(type, dst, g + i, 0);
  }
}

float sum(int type, const void* src, Count n, int line) {
  Op o("__bang_sum", line);
  o.needs_arch(500).count(n, widths[type]);
  if (!o || !o.reads(src, n * widths[type])) return 0;
  xprt::unwritten(src, (xprt_size)(n * widths[type]), line);
  waited();
  tally(count_reduce, n);
  float total = 0;
  for (Count i = 0; i < n; ++i) total += number(type, src, i);
  if (type == t_f32) return total;
  f16 h;
  bf16 b;
  put(h, total), put(b, total);
  return type == t_f16 ? value(h) : value(b);
}

float extreme(bool greatest, int type, const void* src, Count n, int line) {
  Op o(greatest ? "__bang_max" : "__bang_min", line);
  o.needs_arch(500).count(n, widths[type]);
  if (!o || !o.reads(src, n * widths[type])) return 0;
  xprt::unwritten(src, (xprt_size)(n * widths[type]), line);
  waited();
  tally(count_reduce, n);
  float best = number(type, src, 0);
  for (Count i = 1; i < n; ++i) {
    const float v = number(type, src, i);
    if (best != best || (greatest ? v > best : v < best)) best = v;
  }
  return best;
}

// The value, and its 32-bit index as the second word.
void arg(bool greatest, const char* name, int type, void* dst, const void* src, Count n, const char* instead, int line) {
  Op o(name, line);
  const Count w = widths[type];
  if (instead) o.deprecated(instead);
  else o.needs_arch(300);
  o.count(n, w);
  if (!o || !o.reads(src, n * w).writes(dst, old_arch ? 128 : 8)) return;
  if (instead) o.apart(dst, 8, src, n * w);
  xprt::unwritten(src, (xprt_size)(n * w), line);
  tally(count_reduce, n);
  Count best = 0;
  for (Count i = 1; i < n; ++i) {
    const float a = number(type, src, best), b = number(type, src, i);
    if (a != a || (greatest ? b > a : b < a)) best = i;
  }
  char kept[4] = {};
  __builtin_memcpy(kept, static_cast<const char*>(src) + best * w, (xprt_size)w);
  const u32 index = (u32)best;
  __builtin_memcpy(dst, kept, 4);
  __builtin_memcpy(static_cast<char*>(dst) + 4, &index, 4);
}

unsigned count_set(int type, const void* src, Count n, int line) {
  Op o("__bang_count", line);
  o.count(n, widths[type]);
  if (!o || !o.reads(src, n * widths[type])) return 0;
  xprt::unwritten(src, (xprt_size)(n * widths[type]), line);
  waited();
  tally(count_reduce, n);
  unsigned found = 0;
  for (Count i = 0; i < n; ++i) found += number(type, src, i) != 0;
  return found;
}

unsigned find_set(bool last, int type, const void* src, Count n, int line) {
  Op o(last ? "__bang_findlast1" : "__bang_findfirst1", line);
  o.count(n, widths[type]);
  if (!o || !o.reads(src, n * widths[type])) return 0xffffffffu;
  xprt::unwritten(src, (xprt_size)(n * widths[type]), line);
  waited();
  tally(count_reduce, n);
  unsigned found = 0xffffffffu;
  for (Count i = 0; i < n && (last || found == 0xffffffffu); ++i)
    if (number(type, src, i) != 0) found = (unsigned)i;
  return found;
}

// ---- picking -----------------------------------------------------------------------------------------------
namespace {
bool chosen(int type, const void* mask, bool bitmask, Count i) {
  return bitmask ? static_cast<const u8*>(mask)[i / 8] >> i % 8 & 1 : number(type, mask, i) != 0;
}
}  // namespace

unsigned filter(const char* name, int type, void* dst, const void* src, const void* mask, bool bitmask, Count n, int line) {
  Op o(name, line);
  const Count w = widths[type], mask_bytes = bitmask ? (n + 7) / 8 : n * w;
  if (name[7] == 'c') o.deprecated("__bang_filter").multiple(n * w, 128, "the length in bytes");
  o.count(n, w);
  if (!o || !o.reads(src, n * w).reads(mask, mask_bytes)) return 0;
  xprt::unwritten(mask, (xprt_size)mask_bytes, line);
  Count found = 0;
  for (Count i = 0; i < n; ++i) found += chosen(type, mask, bitmask, i);
  if (found && !o.writes(dst, found * w).in_step(dst, src, n * w)) return 0;
  waited();
  o.travelled = true;
  tally(count_move, n);
  const Mover m(dst, found, src, n, w);
  Count at = 0;
  for (Count i = 0; i < n; ++i)
    if (chosen(type, mask, bitmask, i)) m.move(at++, i);
  return (unsigned)found;
}

void select(int type, void* dst, const void* src, const void* mask, Count n, int line) {
  Op o("__bang_select", line);
  const Count w = widths[type];
  o.deprecated("__bang_filter").count(n, w);
  if (!o) return;
  o.multiple(n * w, 128, "the length in bytes");
  if (!o.reads(src, n * w).reads(mask, n * w).writes(dst, 128).apart(dst, 128 + n * w, src, n * w)) return;
  xprt::unwritten(mask, (xprt_size)(n * w), line);
  Count found = 0;
  for (Count i = 0; i < n; ++i) found += chosen(type, mask, false, i);
  char* to = static_cast<char*>(dst) + 128;
  if (found && !o.writes(to, found * w)) return;
  tally(count_move, n);
  const Mover m(to, found, src, n, w);
  Count at = 0;
  for (Count i = 0; i < n; ++i)
    if (chosen(type, mask, false, i)) m.move(at++, i);
  __builtin_memset(dst, 0, 128);
  const u32 count = (u32)found;
  __builtin_memcpy(dst, &count, 4);
}

void maskmove(void* dst, const void* src, const void* bitmask, Count bytes, int line) {
  Op o("__bang_maskmove", line);
  o.count(bytes, 1);
  if (!o || !o.reads(src, bytes).reads(bitmask, (bytes + 7) / 8).writes(dst, bytes).apart(dst, bytes, src, bytes)) return;
  xprt::unwritten(bitmask, (xprt_size)((bytes + 7) / 8), line);
  o.travelled = true;
  tally(count_move, bytes);
  const Mover m(dst, bytes, src, bytes, 1);
  for (Count i = 0; i < bytes; ++i)
    if (chosen(t_f32, bitmask, true, i)) m.move(i, i);
}

void lut(unsigned width, void* dst, const void* index, const void* table, Count n, Count length, int line) {
  Op o("__bang_lut", line);
  const Count w = width;
  o.count(n, w).count(length, w);
  if (!o) return;
  o.multiple(length, 64, "the length of the table");
  if (!o.reads(index, n * w).reads(table, length * w).writes(dst, n * w).apart(dst, n * w, index, n * w).apart(dst, n * w, table, length * w)) return;
  xprt::unwritten(index, (xprt_size)(n * w), line);
  o.travelled = true;
  tally(count_move, n);
  const Mover m(dst, n, table, length, w);
  for (Count i = 0; i < n; ++i) {
    const u32 at = w == 2 ? static_cast<const u16*>(index)[i] : static_cast<const u32*>(index)[i];
    if (at < (u32)length) m.move(i, at);
  }
}

void gather(const char* name, bool scatter, void* dst, const void* src, const void* offset, unsigned offset_width, const void* mask, Count bytes,
            int direction, Count stride, Count count, int line) {
  Op o(name, line);
  o.count(count, 1).want(bytes > 0, "the size of a segment must be positive").want(offset_width <= 4, "offsets are of 8, 16 or 32 bits");
  o.want(stride >= bytes, "the segments overlap: the stride is less than their size");
  if (!o || !o.reads(offset, count * offset_width)) return;
  if (mask && !o.reads(mask, (count + 7) / 8)) return;
  xprt::unwritten(offset, (xprt_size)(count * offset_width), line);
  waited();
  for (Count k = 0; k < count; ++k) {
    if (mask && !chosen(t_f32, mask, true, k)) continue;
    const Count at = offset_width == 1 ? static_cast<const u8*>(offset)[k] : offset_width == 2 ? static_cast<const u16*>(offset)[k] : (Count)static_cast<const u32*>(offset)[k];
    char* d = static_cast<char*>(dst) + (scatter ? at : k * stride);
    const char* s = static_cast<const char*>(src) + (scatter ? k * stride : at);
    copy_1d(name, d, s, bytes, direction, false, line);
  }
}

void random_numbers(void* dst, Count n, int line) {
  Op o("__bang_rand", line);
  o.count(n, 2);
  if (!o) return;
  o.multiple(n, 64, "the number of elements");
  if (!o.writes(dst, n * 2)) return;
  tally(count_vector_int, n);
  for (Count i = 0; i < n; ++i) static_cast<short*>(dst)[i] = (short)xprt::random();
}

void sequence(int type, void* dst, Count n, int line) {
  Op o("__bang_incseq", line);
  if (!o.count(n, 4).writes(dst, n * 4)) return;
  tally(vector_class(type), n);
  for (Count i = 0; i < n; ++i) {
    if (type == t_f32) static_cast<float*>(dst)[i] = (float)i;
    else static_cast<int*>(dst)[i] = (int)i;
  }
}
}  // namespace xp_bang
