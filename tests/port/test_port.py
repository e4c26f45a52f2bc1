"""Port mode on texts: minimal diffs, both ways, nothing unknown passed over in silence."""

import difflib
from pathlib import Path

import pytest

from xpiler.platforms.registry import platform
from xpiler.port import Ported, port
from xpiler.port.prologue import strip

KERNELS = Path(__file__).parents[1] / "kernels"
CUDA, HIP = platform("cuda"), platform("hip")
FILES = sorted(
    p for s in (".cu", ".hip") for p in KERNELS.glob(f"*/*{s}") if p.parent.name != "unsound"
)


def to_hip(text: str, **options: str) -> Ported:
    return port(text, "a.h", CUDA, HIP, **options)


def to_cuda(text: str, **options: str) -> Ported:
    return port(text, "a.h", HIP, CUDA, **options)


def codes(made: Ported) -> list[str]:
    return [d.code for d in made.diagnostics]


def sides(path: Path) -> tuple:
    return (CUDA, HIP) if path.suffix == ".cu" else (HIP, CUDA)


# ---- golden texts ----

GOLDEN_HIP = [
    ("cudaMalloc(&p, n);", "hipMalloc(&p, n);"),
    ("k<<<dim3(g), 64, 0, s>>>(p);", "k<<<dim3(g), 64, 0, s>>>(p);"),
    ('puts("cudaMalloc"); // cudaFree', 'puts("cudaMalloc"); // cudaFree'),
    ("#include <cuda_fp16.h> // half", "#include <hip/hip_fp16.h> // half"),
    ("v += __shfl_down_sync(0xffffffff, v, 16);", "v += __shfl_down(v, 16, 32);"),
    ("__shfl_sync(m, f(a, b), g<int, 2>(c), 8)", "__shfl(f(a, b), g<int, 2>(c), 8)"),
    ("if (prop.warpSize == 32) {}", "if (prop.warpSize == 32) {}"),
    ("#ifdef __CUDA_ARCH__", "#ifdef __HIP_DEVICE_COMPILE__"),
    ("#if __CUDA_ARCH__ >= 700", "#if (__HIP_DEVICE_COMPILE__ * 800) >= 700"),
    ("cub::BlockReduce<int, 4> r; int cub = 0;", "hipcub::BlockReduce<int, 4> r; int cub = 0;"),
    ('asm volatile("membar.gl;" ::: "memory");', "__threadfence();"),
    (
        "cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, 9);",
        "hipFuncSetAttribute(reinterpret_cast<const void*>(k), "
        "hipFuncAttributeMaxDynamicSharedMemorySize, 9);",
    ),
    ("cublasSgemm(h, CUBLAS_OP_N);", "hipblasSgemm(h, HIPBLAS_OP_N);"),
    ("struct cudaDeviceProp p;", "struct hipDeviceProp_t p;"),
    ("#if 0\ncudaFree(p);\n#endif", "#if 0\nhipFree(p);\n#endif"),
]
GOLDEN_CUDA = [
    ("hipLaunchKernelGGL(k, g, b, 0, 0, x, y);", "k<<<g, b>>>(x, y);"),
    ("hipLaunchKernelGGL(k, g, b, n, s, x);", "k<<<g, b, n, s>>>(x);"),
    ("hipLaunchKernelGGL((k<int, 4>), dim3(2, 3), b, 0, s, x);",
     "k<int, 4><<<dim3(2, 3), b, 0, s>>>(x);"),
    ("hipLaunchKernelGGL(HIP_KERNEL_NAME(k<int, 4>), g, b, 0, 0, x);", "k<int, 4><<<g, b>>>(x);"),
    ("HIP_DYNAMIC_SHARED(float, s)", "extern __shared__ float s[];"),
    ("hipMemcpyToSymbol(HIP_SYMBOL(c), p, n);", "cudaMemcpyToSymbol(c, p, n);"),
    ("int i = hipThreadIdx_x;", "int i = threadIdx.x;"),
    ("__shfl_xor(v, 16)", "__shfl_xor_sync(0xffffffffu, v, 16)"),
    ("__shfl_xor(v, 1, 16)", "__shfl_xor_sync(0xffffffffu, v, 1, 16)"),
    ("hipHostMalloc(&p, n); hipHostMalloc(&p, n, f);",
     "cudaMallocHost(&p, n); cudaHostAlloc(&p, n, f);"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), GOLDEN_HIP)
def test_to_hip(before: str, after: str) -> None:
    assert strip(to_hip(before).text).strip() == after


@pytest.mark.parametrize(("before", "after"), GOLDEN_CUDA)
def test_to_cuda(before: str, after: str) -> None:
    assert strip(to_cuda(before).text).strip() == after


# ---- what is reported ----


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cudaMakeCoffee(3);", "XP1001"),
        ("cudaBindTexture(0, t, p, n);", "XP1001"),
        ("#include <cudnn.h>\n", "XP1001"),
        ("auto f = __ballot_sync;", "XP1002"),
        ("launch(prop.warpSize);", "XP1003"),
        ('asm("frobnicate.u32 %0;" : "=r"(x));', "XP1004"),
        ('asm("popc.b32 %0, %1;" : "=r"(x));', "XP1004"),
        ("#if __CUDA_ARCH__ < 700\n#endif", "XP1005"),
        ("__syncwarp(); CUmemFabricHandle h;", "XP1001"),
    ],
)
def test_reported_at_its_place(text: str, code: str) -> None:
    made = to_hip("// one\n// two\n" + text)
    found = [d for d in made.diagnostics if d.code == code]
    assert found
    assert found[0].loc is not None
    assert found[0].loc.line == 3


def test_inactive_regions_are_reported_one_by_one() -> None:
    made = to_hip("#if 0\ncudaOne();\n#else\ncudaTwo();\n#endif\n")
    assert [d.loc.line for d in made.diagnostics if d.loc] == [2, 4]


def test_names_of_the_user_stay() -> None:
    text = "#define cudaCheck(x) x\nfloat cudaTime = 0; dim3 cudaGrid(4);\ncudaCheck(cudaTime);\n"
    made = to_hip(text)
    assert made.text == text
    assert made.complete


def test_names_that_a_header_of_the_user_declares_stay(tmp_path: Path) -> None:
    (tmp_path / "own.h").write_text("cudaError_t cudaOwnThing(int);\n", encoding="utf-8")
    text = '#include "own.h"\nint f() { return cudaOwnThing(1); }\n'
    made = port(text, str(tmp_path / "a.cpp"), CUDA, HIP)
    assert made.complete
    assert made.text == text


def test_a_region_for_both_platforms_is_kept() -> None:
    text = "#ifdef __HIPCC__\nhipFree(p);\n#else\ncudaFree(p);\n#endif\ncudaFree(q);\n"
    assert to_hip(text).text == text.replace("cudaFree(q)", "hipFree(q)")


def test_a_branch_for_nvidia_is_compiled_there() -> None:
    text = (
        "#ifdef __HIP_PLATFORM_AMD__\na();\n#elif defined(__HIP_PLATFORM_NVIDIA__)\nb();\n#endif\n"
    )
    assert "#elif defined(__CUDACC__)" in to_cuda(text).text


def test_waves_of_64_are_kept_unless_the_text_asks_for_their_width() -> None:
    loop = "for (int d = {0} / 2; d; d /= 2) v += __shfl_down(v, d);"
    assert "__shfl_down_sync(0xffffffffu, v, d)" in to_cuda(loop.format("warpSize")).text
    assert "xp_wave_shfl_down(v, d)" in to_cuda(loop.format("64")).text
    assert "xp_wave_shfl_down(v, d)" in to_cuda(loop.format("p.warpSize")).text


def test_the_width_is_the_source_s_where_the_text_takes_waves_of_64_for_granted() -> None:
    made = to_cuda(
        "for (int d = warpSize / 2; d > 0; d /= 2) v += __shfl_xor(v, d); int w[256 / 32];"
    )
    assert "d = xp_wave_size / 2" in made.text
    assert "constexpr int xp_wave_size = 64;" in made.text


def test_waves_of_the_source_chip() -> None:
    assert "xp_wave_shfl(v, 3)" in to_cuda("__shfl(v, 3);").text
    assert to_cuda("__shfl(v, 3);", arch="gfx1100").text == "__shfl_sync(0xffffffffu, v, 3);"


def test_helpers_stand_once_after_the_includes() -> None:
    made = to_hip("// licence\n#include <cuda_fp16.h>\nint f() { __syncwarp(); __syncwarp(); }\n")
    assert made.text.count("xp_sync_warp(unsigned") == 1
    assert made.text.index("hip_fp16.h") < made.text.index("xp_sync_warp(unsigned")
    assert made.text.startswith("// licence\n")


# ---- all our kernels ----


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_kernels(path: Path) -> None:
    """Everything is carried, only lines in the report differ, and nothing is ported twice."""
    source, target = sides(path)
    text = path.read_text(encoding="utf-8")
    made = port(text, str(path), source, target)
    assert made.complete, [d.render() for d in made.diagnostics]
    again = port(made.text, str(path), source, target)
    assert again.text == made.text
    assert codes(again) == ["XP1009"]
    assert _changed_lines(text, made.text) <= {c.line for c in made.changes} | _spread(made)


def _changed_lines(before: str, after: str) -> set[int]:
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {
        line + 1
        for tag, a, b, _, _ in matcher.get_opcodes()
        if tag != "equal"
        for line in range(a, b)
    }


def _spread(made: Ported) -> set[int]:
    """Further lines of calls and statements that begin on a changed line."""
    groups = {"kernel", "assembly", "waves"}
    return {c.line + i for c in made.changes if c.group in groups for i in range(1, 6)}


ONE_TO_ONE = {"memory", "error", "device", "headers", "stream", "event", "bfloat16"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_round_trip(path: Path) -> None:
    """There and back is the same text, byte for byte, where the tables are one to one."""
    source, target = sides(path)
    text = path.read_text(encoding="utf-8")
    there = port(text, str(path), source, target)
    if not {c.group for c in there.changes} <= ONE_TO_ONE:
        pytest.skip("something is not one to one")
    name = str(path.with_suffix(target.suffixes[0]))
    assert port(there.text, name, target, source).text == text


@pytest.mark.parametrize("text", ["", "\n", "// nothing\n"])
def test_a_text_without_a_word_stays_as_it_is(text: str) -> None:
    assert to_hip(text).text == text
