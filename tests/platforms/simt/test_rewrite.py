"""What the rewriter makes of launches, shared variables, inline assembly and HIP's own spellings."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import pytest

from xpiler.platforms._simt.dialects import CUDA, HIP
from xpiler.platforms._simt.hip_text import rewrite_vector_types
from xpiler.platforms._simt.inline_asm import rewrite_asm
from xpiler.platforms._simt.launches import rewrite_launch_calls, rewrite_launches
from xpiler.platforms._simt.rewrite import Dialect, prelude, rewrite
from xpiler.platforms._simt.storage import register_globals, rewrite_storage

_SLOT = "::xp_simt::shared_slot([] {}, "


def _body(text: str, dialect: Dialect = CUDA) -> str:
    return rewrite(text, dialect).split('#line 1 "unit"\n', 1)[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k<<<g, b>>>(x, n);", '::xp_simt::launch(__LINE__, "k", ::xp_simt::Config(g, b), k)(x, n);'),
        ("k<<<1, 2, 3, s>>>();", '::xp_simt::launch(__LINE__, "k", ::xp_simt::Config(1, 2, 3, s), k)();'),
        (
            "ns::k<float, 2><<<1, B<2>>>>(x);",
            '::xp_simt::launch(__LINE__, "ns::k<float,2>", ::xp_simt::Config(1, B<2>), '
            "[&](auto... xp_a) { ns::k<float,2>(xp_a...); })(x);",
        ),
        ("(*f)<<<1, 2>>>(0, NULL);",
         '::xp_simt::launch(__LINE__, "(*f)", ::xp_simt::Config(1, 2), (*f))(::xp_simt::Zero(), nullptr);'),
        ("k<<<1, 2>>>(f<1, 0, 2>(x), 0);",
         '::xp_simt::launch(__LINE__, "k", ::xp_simt::Config(1, 2), k)(f<1, 0, 2>(x), 0);'),
        ("t[i].k<<<1, 2>>>(x);", '::xp_simt::launch(__LINE__, "t[i].k", ::xp_simt::Config(1, 2), t[i].k)(x);'),
    ],
)  # fmt: skip
def test_launch(text: str, expected: str) -> None:
    assert rewrite_launches(text) == expected


def test_a_launch_over_several_lines_keeps_them() -> None:
    text = "void f() {\n  k<<<g, // grid\n    b>>>(\n    x);\n  y();\n}\n"
    after = rewrite_launches(text).split("\n")
    assert len(after) == len(text.split("\n"))
    assert after[4] == "  y();"


def test_a_launch_in_a_macro_and_template_kernels_are_generic() -> None:
    assert "auto... xp_a) { K(xp_a...)" in rewrite_launches(
        "#define RUN(K, ...) K<<<1, 2>>>(__VA_ARGS__)\n"
    )
    text = "template <class T> __global__ void k(T* x) {}\nvoid f() { k<<<1, 2>>>(p); }"
    assert "auto... xp_a) { k(xp_a...)" in rewrite_launches(text)
    assert "Config(1, 2), NAME##_k)(x)" in rewrite_launches(
        "#define D(NAME) NAME##_k<<<1, 2>>>(x)\n"
    )


def test_shifts_and_strings_are_left_alone() -> None:
    text = 'int a = b << c >> d; s << "k<<<1>>>(x)"; // k<<<1>>>(x)\n'
    assert rewrite_launches(text) == text


def test_launch_by_a_call_gets_the_kernels_type() -> None:
    after = rewrite_launch_calls(
        "cudaLaunchKernel((const void*)&k<int, 2>, g, b, a, 0, 0)", {"cudaLaunchKernel": False}
    )
    assert after == '::xp_simt::launch_api(__LINE__, "k<int,2>", k<int,2>, g, b, a, 0, 0)'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__shared__ float a[4][5], b;", f'float (&a)[4][5] = {_SLOT}"a", 0),  (&b) = {_SLOT}"b", 0);'),
        ("__shared__ int t[N + PAD(N)];", f'int (&t)[N + PAD(N)] = {_SLOT}"t", 0);'),
        ("volatile __shared__ int v[2];", f'volatile  int (&v)[2] = {_SLOT}"v", 0);'),
        ("static __shared__ float *p, (*q)[3];",
         f'float *(&p) = {_SLOT}"p", 0),  (*(&q))[3] = {_SLOT}"q", 0);'),
        ("__shared__ __align__(16) unsigned char r[sizeof(P) * 4];",
         f'unsigned char (&r)[sizeof(P) * 4] = {_SLOT}"r", 16);'),
        ("__shared__ float z[8] __attribute__((aligned(32)));", f'float (&z)[8] = {_SLOT}"z", 32);'),
        ("__shared__ struct { int x, y; } s;", f'struct {{ int x, y; }} (&s) = {_SLOT}"s", 0);'),
        ("extern __shared__ float d[];", "float (&d)[] = ::xp_simt::dynamic_slot();"),
        ("__shared__ typename A<T, 2>::B<int> c;", f'typename A<T, 2>::B<int> (&c) = {_SLOT}"c", 0);'),
    ],
)  # fmt: skip
def test_shared_declaration(text: str, expected: str) -> None:
    head = "__global__ void k() {\n"
    assert rewrite_storage(head + text + "\n}") == f"{head}{expected}\n}}"


def test_shared_parameters_and_aliases() -> None:
    assert "__shared__" not in rewrite_storage("__device__ void f(__shared__ float* p) {}")
    after = rewrite_storage("#define LDS __shared__\n__global__ void k() { LDS int a[2]; }")
    assert 'int (&a)[2] = ::xp_simt::shared_slot([] {}, "a", 0);' in after


def test_file_scope_shared_is_declared_in_the_functions_that_use_it() -> None:
    text = (
        "extern __shared__ float dyn[];\n"
        "__global__ void a() { dyn[0] = 1; }\n"
        "__global__ void b(float* dyn) { dyn[0] = 1; }\n"
        "__global__ void c() { int dyn = 1; }\n"
    )
    lines = rewrite_storage(text).split("\n")
    assert "float (&dyn)[] = ::xp_simt::dynamic_slot();" in lines[1]
    assert lines[2:4] == text.split("\n")[2:4]


def test_device_variables_are_announced_and_functions_are_not() -> None:
    after = register_globals(
        "__constant__ float c[4], d;\n__device__ float f(int x);\n__device__ int n = g(3);\n"
    )
    assert after.count("DeviceVariable") == 3
    assert '(&c, sizeof(c), "c", true, false)' in after
    assert '(&n, sizeof(n), "n", false, false)' in after
    assert after.split("\n")[1] == "__device__ float f(int x);"


def test_no_semicolon_ends_a_function_with_a_body() -> None:
    text = (
        "namespace n {\n__device__ __forceinline__ float f(float v) { return v; }\n}\n"
        "void host(float a) {\n dim3 b(8, 4);\n}\n"
    )
    assert register_globals(text) == text


def test_asm() -> None:
    text = 'asm volatile("{ add.u32 %0, %1, %2; }" : "=r"(d[i]) : "r"(a ? b : c), [n] "n"(3) : "memory");'
    assert rewrite_asm(text, "ptx") == (
        '::xp_simt::ptx(__LINE__, [] { return "{ add.u32 %0, %1, %2; }"; }, true, ::xp_simt::out("=r", d[i]), '
        '::xp_simt::in("r", a ? b : c), ::xp_simt::in("n", 3, "n"));'
    )
    assert (
        rewrite_asm('asm("bar.sync 0;");', "ptx")
        == '::xp_simt::ptx(__LINE__, [] { return "bar.sync 0;"; }, false);'
    )
    assert "::xp_simt::in" in rewrite_asm('asm volatile("x %0;" :: "r"(a) : "memory");', "ptx")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("typedef float f4 __attribute__((ext_vector_type(4)));", "using f4 = ::xp_simt::ExtVector<float, 4>;"),
        ("using h = __attribute__((__vector_size__(4 * sizeof(_Float16)))) _Float16;",
         "using h = ::xp_simt::VectorOfBytes<_Float16, 4 * sizeof(_Float16)>::type;"),
        ("typedef __attribute__((ext_vector_type(N + 1))) unsigned short u;",
         "using u = ::xp_simt::ExtVector<unsigned short, N + 1>;"),
    ],
)  # fmt: skip
def test_vector_types(text: str, expected: str) -> None:
    assert " ".join(rewrite_vector_types(text).split()) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x = ((_Float16 *)p)[i];", False),
        ("x = __attribute__ ((_Float16)) y;", True),
        ("x = f ((_Float16)y);", False),
    ],
)
def test_words_of_the_platform_stay_in_attributes_alone(text: str, kept: bool) -> None:
    assert (_body(text, HIP) == text) == kept


def test_hip_launch_macro() -> None:
    after = _body("hipLaunchKernelGGL(HIP_KERNEL_NAME(k<T, 2>), dim3(1), 64, 0, 0, x, n);", HIP)
    assert after.startswith(
        '::xp_simt::launch(__LINE__, "k<T,2>", ::xp_simt::Config(dim3(1), 64, 0, 0), [&](auto'
    )
    assert after.endswith("})( x, n);")


def test_headers_are_included_only_where_their_words_are_used() -> None:
    assert prelude("__global__ void k(float* x);", CUDA) == '#include "cuda_runtime.h"'
    assert '"cuda_fp16.h"' in prelude("half x;", CUDA)
    assert "using namespace nvcuda;" in prelude("wmma::fragment<> f;", CUDA)
    assert "using namespace nvcuda;" not in prelude(
        "using namespace nvcuda; wmma::fragment<> f;", CUDA
    )
    assert "<cmath>" in prelude("float y = std::exp(x);", CUDA)
