"""Functions: templates, methods, references, lambdas, roles and names."""

from __future__ import annotations

from front_texts import function, lines, program, result, whole

from xpiler.ir.text import show

SCALE = """
    template <typename T, int N> __device__ T scale(T x) {
      if constexpr (N > 2) { return x * N; } else { return x; }
    }
    template <typename T> __global__ void apply(T* p) { p[0] = scale<T, 4>(p[0]); }
"""


def test_templates_are_read_per_instantiation() -> None:
    text = SCALE + "void f(float* a, double* b) { apply<<<1, 1>>>(a); apply<double><<<1, 1>>>(b); }"
    found = program(text)
    assert [f.name for f in found.functions] == [
        "scale_float_4", "scale_double_4", "apply_float", "apply_double", "f",
    ]  # fmt: skip
    assert found.function("apply_double").symbol == "apply<double>"
    assert "return (x * 4.0)" in whole(text)


def test_explicit_instantiations_by_a_macro_of_several() -> None:
    text = """
        template <typename T> __global__ void one(T* a) { a[0] = 1; }
        template <typename T, bool B> __global__ void two(T* a) { a[0] = B; }
        #define MAKE(T) \\
          template __global__ void one<T>(T*); \\
          template __global__ void two<T, true>(T*);
        MAKE(float)
        MAKE(int)
    """
    found = program(text)
    symbols = {f.symbol for f in found.functions if f.role == "kernel"}
    assert symbols == {"one<float>", "one<int>", "two<float, 1>", "two<int, 1>"}


def test_explicit_instantiation() -> None:
    found = program(SCALE + "template __global__ void apply<float>(float*);")
    assert "apply_float" in [f.name for f in found.functions]


def test_template_arguments_may_be_given() -> None:
    found = program(SCALE, template_args={"T": "float"})
    assert "apply_float" in [f.name for f in found.functions]


def test_a_kernel_template_without_arguments_is_diagnosed() -> None:
    (remark,) = result(SCALE).diagnostics
    assert (remark.code, remark.loc and remark.loc.line) == ("XP0206", 5)


def test_class_templates_and_methods() -> None:
    text = """
        template <typename T> struct Range {
          T lo, hi;
          __device__ Range(T a, T b) : lo(a), hi(b) {}
          __device__ bool has(T x) const { return x >= lo && x < hi; }
          __device__ void widen(T by) { hi += by; }
        };
        __global__ void k(float* a, int n) {
          Range<int> r(0, n);
          r.widen(2);
          if (r.has(n)) a[0] = 1.0f;
        }
    """
    assert whole(text) == lines("""
        program cuda wave=32
        struct Range_int { lo: i32; hi: i32 }
        device Range_int_has(self: const struct Range_int*, x: i32) -> bool
          return ((x >= self[0].lo) && (x < self[0].hi))
        device Range_int_widen(self: struct Range_int*, by: i32) -> void
          self[0].hi += by
        kernel k(a: f32*, n: i32) -> void
          r: struct Range_int = struct Range_int{0, n}
          Range_int_widen(&r, 2)
          if Range_int_has(&r, n)
            a[0] = 1.0f
    """)


def test_references_become_pointers_or_the_place_itself() -> None:
    text = """
        __device__ void swap2(float& a, const float& b) { a = b; }
        __global__ void k(float* p, int n) {
          float& first = p[0];
          swap2(first, p[n]);
          float& moving = p[n];
          n = 3;
          moving = 1.0f;
        }
    """
    assert function(text, "k") == lines("""
        kernel k(p: f32*, n: i32) -> void
          swap2(p, p[n])
          moving: f32* = &p[n]
          n = 3
          moving[0] = 1.0f
    """)
    assert "swap2(a: f32*, b: f32)" in function(text, "swap2")


def test_accessors_and_lambdas_are_read_in_place() -> None:
    text = """
        struct V { float v[3]; __device__ float& operator[](int i) { return v[i]; } };
        template <typename F> __device__ void each(float* a, F f) {
          for (int i = 0; i < 4; ++i) a[i] = f(a[i]);
        }
        __global__ void k(float* a, float s) {
          V v;
          v[1] = s;
          auto twice = [&](float x) { return x * 2.0f; };
          a[0] = twice(v[1]);
          each(a + 1, [=](float x) { return x * s; });
        }
    """
    assert function(text, "k") == lines("""
        kernel k(a: f32*, s: f32) -> void
          v: struct V
          v.v[1] = s
          a[0] = (v.v[1] * 2.0f)
          a.1: f32* = (a + 1)
          for i: i32 in [0, 4)
            a.1[i] = (a.1[i] * s)
    """)


def test_a_captured_copy_keeps_its_value() -> None:
    text = """
        __global__ void k(float* a, int n) {
          auto f = [=](int x) { return x + n; };
          n = 7;
          a[0] = f(1);
        }
    """
    assert "n.1: i32 = n" in function(text, "k")
    assert "(1 + n.1)" in function(text, "k")


def test_default_members() -> None:
    text = """
        struct Acc { float m = -1.0f; int count = 0; };
        __global__ void k(float* a) { Acc s; Acc all[2]; all[0] = s; a[0] = all[0].m; }
    """
    assert "s: struct Acc = struct Acc{-1.0f, 0}" in function(text, "k")
    one = "struct Acc{-1.0f, 0}"
    assert f"all: struct Acc[2] = struct Acc[2]{{{one}, {one}}}" in function(text, "k")


def test_union_and_pointer_punning_become_bits() -> None:
    text = """
        __global__ void k(float* a) {
          union { float f; unsigned u; } v;
          v.f = a[0];
          v.u ^= 0x80000000u;
          a[1] = v.f;
          unsigned raw = *(unsigned*)&a[2];
          a[3] = __uint_as_float(raw);
        }
    """
    assert function(text, "k") == lines("""
        kernel k(a: f32*) -> void
          v: f32
          v = a[0]
          v = bits<f32>((bits<u32>(v) ^ 0x80000000u))
          a[1] = v
          raw: u32 = bits<u32>(a[2])
          a[3] = bits<f32>(raw)
    """)


def test_roles_bounds_linkage_and_comments() -> None:
    text = """\
        // what this file is about

        #define THREADS 128
        /* adds one */
        extern "C" __global__ void __launch_bounds__(THREADS) k(float* a) {
          a[0] += 1.0f;  // here
        }
        static void host() {}
    """
    found = program(text)
    k, host = found.functions
    assert (k.role, k.extern_c, k.launch_bounds, k.comments) == (
        "kernel", True, 128, ("/* adds one */",),
    )  # fmt: skip
    assert (host.role, host.static) == ("host", True)
    assert found.comments == ("// what this file is about",)
    assert k.body[0].comments == ("// here",)
    assert k.body[0].loc is not None
    assert k.body[0].loc.line == 6


def test_functions_keep_the_names_that_callers_know() -> None:
    text = """
        extern "C" void fill_(float* a) { a[0] = 1; }
        extern "C" void _fill(float* a) { fill_(a); }
    """
    assert [f.name for f in program(text).functions] == ["fill_", "_fill"]


def test_constants_keep_their_names() -> None:
    text = """
        #define TILE 16
        #define HALF (TILE / 2)
        #define SQ(x) ((x) * (x))
        constexpr float kEps = 1e-5f;
        enum { DIM = 3 };
        __global__ void k(float* a, int n) {
          for (int i = 0; i < TILE; i += HALF) a[i] = kEps + SQ(n) + DIM;
        }
    """
    assert whole(text) == lines("""
        program cuda wave=32
        macro TILE = 16
        macro HALF = (TILE / 2)
        macro kEps = 1e-5f
        macro DIM = 3
        kernel k(a: f32*, n: i32) -> void
          for i: i32 in [0, TILE) step HALF
            a[i] = ((kEps + f32((n * n))) + f32(DIM))
    """)


def test_lower_case_constants_are_values_and_local_floats_stay_variables() -> None:
    text = """
        constexpr int warp = 32;
        __global__ void k(float* a) {
          const float scale = 0.5f;
          const int Rows = 4;
          a[warp] = scale * Rows;
        }
    """
    assert function(text, "k") == lines("""
        kernel k(a: f32*) -> void
          const scale: f32 = 0.5f
          a[32] = (scale * f32(Rows))
    """)


def test_shared_memory_at_file_scope() -> None:
    text = "extern __shared__ float buf[]; __global__ void k(float* a) { a[0] = buf[1]; }"
    assert function(text, "k") == lines("""
        kernel k(a: f32*) -> void
          shared dynamic buf: f32[]
          a[0] = buf[1]
    """)


def test_a_constant_whose_name_is_also_a_variable_loses_it() -> None:
    text = """
        __global__ void k(float* a, int N) { a[N] = 0.0f; }
        void f(float* a) { const int N = 48; k<<<1, N>>>(a, N); }
    """
    assert "macro" not in whole(text)
    assert "launch k<1, 1, 1 | 48, 1, 1>(a, 48)" in whole(text)


def test_unnamed_unions_and_structs_inside_structs() -> None:
    text = """
        struct A { union { struct { float x, y; }; float v[2]; }; int k; };
        __global__ void k(float* p) { A a; a.x = 1.0f; a.v[1] = 2.0f; a.k = 3; p[0] = a.y; }
    """
    got = function(text, "k")
    assert "struct Unnamed_Unnamed*(&a.unnamed0)[0].x = 1.0f" in got
    assert "a.unnamed0[1] = 2.0f" in got


def test_methods_that_return_the_object_and_conversion_operators() -> None:
    text = """
        struct C {
          float r;
          __device__ C& operator+=(const C& o) { r += o.r; return *this; }
          __device__ operator float() const { return r; }
        };
        __global__ void k(float* p, C c) { C d = c; d += c; p[0] = d + 1.0f; }
    """
    assert "  return self\n" in function(text, "C_add")
    assert function(text, "k") == lines("""
        kernel k(p: f32*, c: struct C) -> void
          d: struct C = c
          C_add(&d, c)
          p[0] = (C_operator_float(&d) + 1.0f)
    """)


def test_functions_as_template_arguments() -> None:
    text = """
        template <float (*OP)(float)> __global__ void map(float* a) { a[0] = OP(a[0]); }
        __device__ float twice(float x) { return 2.0f * x; }
        void f(float* a) { map<twice><<<1, 1>>>(a); }
    """
    assert "a[0] = twice(a[0])" in function(text, "map")


def test_braces_may_be_left_out() -> None:
    text = "__global__ void k(float* p) { float r[2][2] = {1, 2, 3}; p[0] = r[1][0]; }"
    assert "r: f32[2][2] = f32[2][2]{f32[2]{1.0, 2.0}, f32[2]{3.0}}" in function(text, "k")


def test_braces_may_stand_around_a_single_value() -> None:
    found = program(
        "__device__ float a = {}; __constant__ int b = {3}; struct S { int n; float x; };"
        "__constant__ S s = {{4}, {2.5f}};"
        "__global__ void k(float* p) { p[0] = a + b + s.n * s.x; }"
    )
    shown = {g.var.name: show(g.init) for g in found.globals if g.init is not None}
    assert shown == {"a": "0.0", "b": "3", "s": "struct S{4, 2.5}"}


def test_memcpy_in_device_code_is_a_loop() -> None:
    text = "__global__ void k(float* p) { float w[4]; memcpy(w, p, sizeof(w)); p[0] = w[1]; }"
    assert "for i: u64 in [0, 4)\n    w[i] = p[i]" in function(text, "k")


def test_memcpy_of_one_number_is_an_assignment_of_its_bits() -> None:
    text = """__global__ void k(const float* x, const unsigned char* q, unsigned* y, double* z) {
      unsigned u; memcpy(&u, x, sizeof u);
      float f; memcpy(&f, q + 4, 4);
      unsigned long d = 1; memcpy(&z[1], &d, 8);
      memcpy(y, &u, 4); }"""
    found = function(text, "k")
    assert "u = bits<u32>(x[0])" in found
    assert "f = bits<f32>((((u32((q + 4)[0]) | (u32((q + 4)[1]) << 8))" in found
    assert "z[1] = bits<f64>(d)" in found
    assert "y[0] = u" in found


def test_c_puns_and_names_of_the_c_library() -> None:
    text = """#include <math.h>
    #include <stdint.h>
    #include <string.h>
    void f(const float *x, int16_t *y, uint32_t *b, int n) {
      for (int i = 0; i < n; i++) {
        memcpy(b + i, &x[i], 4);
        y[i] = isnan(x[i]) ? INT16_MIN : x[i] > INT16_MAX ? INT16_MAX : (int16_t)lroundf(x[i]);
      } }"""
    found = function(text, "f", "c")
    assert "b[i] = bits<u32>(x[i])" in found
    assert "isnan(x[i]) ?" in found
    assert "host." not in found


def test_a_struct_comes_after_those_that_it_holds() -> None:
    text = """struct In { int n; };
    struct Out { In in; float* y; };
    __global__ void k(Out out) { out.y[0] = out.in.n; }
    """
    assert [s.name for s in program(text).structs] == ["In", "Out"]
