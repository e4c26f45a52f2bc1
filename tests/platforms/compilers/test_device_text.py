"""What device compilers are given: functions of the host gone, every line in its place."""

from __future__ import annotations

from xpiler.platforms._simt.device_text import device_text

TEXT = """\
template <class T>
__device__ T twice(T x) { return x + x; }
template <class T> static T mine(T x)
{
    return x;
}
namespace a { int hidden() { return 1; } struct S { __device__ int r() { return 1; } }; }
static inline __host__ __device__ int both(int a) { return a; }
#define KERNEL __global__ void
KERNEL named(int *p) { *p = 1; }
extern "C" void launch(int n){ named<<<1, n>>>(nullptr); }
extern "C" {
void other(int n) { named<<<1, n>>>(nullptr); }
}
__global__ void __launch_bounds__(64) last(int x) {}
"""


def test_only_device_functions_stay() -> None:
    kept = device_text(TEXT)
    for word in ("twice", "struct S", "both", "named(int *p)", "last", "#define KERNEL"):
        assert word in kept
    for word in ("mine", "hidden", "launch(", "other", "nullptr"):
        assert word not in kept


def test_instances_go_with_their_templates() -> None:
    kept = device_text(
        "template <class T> void host(T *p) { }\ntemplate <class T> __global__ void dev(T *p) { }\n"
        "template void host<float>(float *p);\ntemplate __global__ void dev<int>(int *p);\n"
        "template <> __device__ int other<float>(float x);\n"
    )
    assert "host" not in kept
    assert "dev<int>" in kept
    assert "other<float>" in kept


def test_lines_keep_their_numbers() -> None:
    before, after = TEXT.splitlines(), device_text(TEXT).splitlines()
    assert len(before) == len(after)
    assert after[-1] == before[-1]


def test_a_parameter_s_default_makes_no_initialiser_of_a_function() -> None:
    text = "template <class T> int go(T* p, int s = 0) { return up(1); }\nint a[] = {1, f(2)};\n"
    kept = device_text(text)
    assert "up" not in kept
    assert "f(2)" in kept


def test_constant_functions_stay_where_they_are_used() -> None:
    text = (
        "constexpr int room(int n) { return 4 * half(n); }\n"
        "constexpr int half(int n) { return n / 2; }\nconstexpr int kept(int n) { return n; }\n"
        "__global__ void k() { __shared__ float s[kept(8)]; }\n"
        "void go() { k<<<1, 1, room(8)>>>(); }\n"
    )
    kept = device_text(text)
    assert "kept(int n)" in kept
    assert "room" not in kept
    assert "half" not in kept
