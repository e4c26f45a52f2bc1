// Pooling: windows of an image [H][W][C]. Sums are formed in float, row after row, and rounded once.
#include "core.h"
#include "../xp_bang_matrix.h"

extern "C" int snprintf(char*, size_t, const char*, ...);

namespace xp_bang {
namespace {
const Count widths[types] = {4, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8};

struct Extent { Count Ho, Wo, span_h, span_w; };

bool frame_ok(Op& o, const Frame& f, int type, Extent& e) {
  o.want(f.C > 0 && f.H > 0 && f.W > 0 && f.KH > 0 && f.KW > 0, "an extent that is not positive");
  o.want(f.SW > 0 && f.SH > 0 && f.in_dh > 0 && f.in_dw > 0, "a stride or dilation that is not positive");
  o.want(f.KH * f.KW <= 65536, "a window of more than 65536 elements");
  if (!o) return false;
  e.span_h = (f.KH - 1) * f.in_dh + 1, e.span_w = (f.KW - 1) * f.in_dw + 1;
  o.want(e.span_h <= f.H && e.span_w <= f.W, "the window is larger than the image");
  if (!o) return false;
  if (old_arch) o.multiple(f.C * widths[type], 128, "C in bytes");
  e.Ho = (f.H - e.span_h) / f.SH + 1, e.Wo = (f.W - e.span_w) / f.SW + 1;
  return true;
}

float reduce_step(Pool kind, float a, float b) {
  switch (kind) {
    case pool_max: return a != a ? b : a < b ? b : a;
    case pool_min: return a != a ? b : b < a ? b : a;
    case pool_nan_max: return a != a || b != b ? a + b : a < b ? b : a;
    case pool_nan_min: return a != a || b != b ? a + b : b < a ? b : a;
    default: return a + b;
  }
}

template <class T, class F> void windows(const Frame& f, const Extent& e, const T* src, F one) {
  for (Count y = 0; y < e.Ho; ++y)
    for (Count x = 0; x < e.Wo; ++x)
      for (Count c = 0; c < f.C; ++c)
        one((y * e.Wo + x) * f.C + c, [=](Count i, Count j) { return src + ((y * f.SH + i * f.in_dh) * f.W + x * f.SW + j * f.in_dw) * f.C + c; });
}

template <class T> void pool_any(Pool kind, void* dst, const void* src, const Frame& f, const Extent& e) {
  T* d = static_cast<T*>(dst);
  windows(f, e, static_cast<const T*>(src), [=](Count at, auto element) {
    float sum = 0;
    for (Count i = 0; i < f.KH; ++i)
      for (Count j = 0; j < f.KW; ++j) sum = i + j == 0 ? value(*element(0, 0)) : reduce_step(kind, sum, value(*element(i, j)));
    put(d[at], kind == pool_avg ? sum / (float)(f.KH * f.KW) : sum);
  });
}

// Which bytes of the image the windows leave out is no matter: only those that are read must have been written.
void remark_unwritten(Op& o, const void* src, const Frame& f, const Extent& e, Count w) {
  const Count rows = (e.Ho - 1) * f.SH + e.span_h;
  for (Count r = 0; r < rows; ++r)
    xprt::unwritten(static_cast<const char*>(src) + r * f.W * f.C * w, (xprt_size)(((e.Wo - 1) * f.SW + e.span_w) * f.C * w), o.line);
}
}  // namespace

void pool(Pool kind, const char* name, int type, void* dst, const void* src, const Frame& f, bool, int line) {
  Op o(name, line);
  Extent e;
  if (kind == pool_avg) o.deprecated("__bang_sumpool and a multiplication");
  if (kind >= pool_nan_max || type == t_bf16) o.needs_arch(500);
  if (!frame_ok(o, f, type, e)) return;
  const Count w = widths[type], in = f.H * f.W * f.C * w, out = e.Ho * e.Wo * f.C * w;
  if (!o.reads(src, in).writes(dst, out)) return;
  const char *d = static_cast<const char*>(dst), *s = static_cast<const char*>(src);
  if (d < s + in && s < d + out) {
    char text[120];
    snprintf(text, sizeof text, "%s works in place: it should not, by the manual", name);
    remark("operand", text, line, dst);
  }
  remark_unwritten(o, src, f, e, w);
  tally(count_reduce, e.Ho * e.Wo * f.C * f.KH * f.KW);
  if (type == t_f32) pool_any<float>(kind, dst, src, f, e);
  else if (type == t_f16) pool_any<f16>(kind, dst, src, f, e);
  else pool_any<bf16>(kind, dst, src, f, e);
}

namespace {
template <class T, class I> void index_any(bool greatest, void* dst, const void* src, const Frame& f, const Extent& e, Count vi_stride, bool values) {
  T* v = static_cast<T*>(dst);
  I* index = reinterpret_cast<I*>(static_cast<char*>(dst) + (values ? vi_stride : 0));
  windows(f, e, static_cast<const T*>(src), [=](Count at, auto element) {
    Count best = 0;
    for (Count k = 1; k < f.KH * f.KW; ++k) {
      const float a = value(*element(best / f.KW, best % f.KW)), b = value(*element(k / f.KW, k % f.KW));
      if (greatest ? b > a || a != a : b < a || a != a) best = k;
    }
    const T kept = *element(best / f.KW, best % f.KW);
    if (values) v[at] = kept;
    index[at] = (I)best;
  });
}
template <class T, class I> void back_any(bool maximum, void* dst, const void* src, const void* mask, const Frame& f, const Extent& e, bool cover) {
  T* d = static_cast<T*>(dst);
  const T* s = static_cast<const T*>(src);
  const I* index = static_cast<const I*>(mask);
  if (!cover)
    for (Count i = 0; i < f.H * f.W * f.C; ++i) put(d[i], 0.0f);
  windows(f, e, d, [=](Count at, auto element) {
    for (Count k = 0; k < f.KH * f.KW; ++k) {
      if (maximum && (Count)index[at] != k) continue;
      T* to = const_cast<T*>(element(k / f.KW, k % f.KW));
      const float g = maximum ? value(s[at]) : value(s[at]) / (float)(f.KH * f.KW);
      put(*to, cover ? g : value(*to) + g);
    }
  });
}
}  // namespace

void pool_index(bool greatest, const char* name, int type, void* dst, const void* src, const Frame& f, Count vi_stride, bool values, int line) {
  Op o(name, line);
  Extent e;
  if (!frame_ok(o, f, type, e)) return;
  const Count w = widths[type], in = f.H * f.W * f.C * w, out = e.Ho * e.Wo * f.C * w;
  o.reads(src, in).writes(dst, out).apart(dst, out, src, in);
  if (values) o.want(vi_stride >= out, "the indices overlap the values").writes(static_cast<char*>(dst) + vi_stride, out);
  if (!o) return;
  remark_unwritten(o, src, f, e, w);
  tally(count_reduce, e.Ho * e.Wo * f.C * f.KH * f.KW);
  if (type == t_f32) index_any<float, u32>(greatest, dst, src, f, e, vi_stride, values);
  else if (type == t_f16) index_any<f16, u16>(greatest, dst, src, f, e, vi_stride, values);
  else index_any<bf16, u16>(greatest, dst, src, f, e, vi_stride, values);
}

// H and W are those of dst: the gradient goes back to where the window's value came from.
void pool_back(bool maximum, const char* name, int type, void* dst, const void* src, const void* mask, const Frame& f, bool cover, int line) {
  Op o(name, line);
  Extent e;
  if (!frame_ok(o, f, type, e)) return;
  const Count w = widths[type], in = e.Ho * e.Wo * f.C * w, out = f.H * f.W * f.C * w;
  o.reads(src, in).writes(dst, out).apart(dst, out, src, in);
  if (maximum) o.reads(mask, in).apart(dst, out, mask, in);
  if (!o) return;
  tally(count_reduce, e.Ho * e.Wo * f.C * f.KH * f.KW);
  if (type == t_f32) back_any<float, u32>(maximum, dst, src, mask, f, e, cover);
  else if (type == t_f16) back_any<f16, u16>(maximum, dst, src, mask, f, e, cover);
  else back_any<bf16, u16>(maximum, dst, src, mask, f, e, cover);
}
}  // namespace xp_bang
