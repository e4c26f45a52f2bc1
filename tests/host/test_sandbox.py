"""Confined children: what they cannot reach, and what bounds them."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xpiler.diagnostics import XpilerError
from xpiler.host.sandbox import (
    ChildResult,
    Limits,
    capabilities,
    read_output,
    run_sandboxed,
    sandbox_policy,
)

pytestmark = pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)
needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")


def shell(script: str, folder: Path, **limits: float) -> ChildResult:
    """One shell script, confined to `folder`."""
    bounds = Limits(**({"seconds": 10.0} | limits))  # type: ignore[arg-type]
    return run_sandboxed(["/bin/sh", "-c", script], read_paths=(), write_dir=folder, limits=bounds)


def compiled(text: str, folder: Path, limits: Limits, *argv: str) -> ChildResult:
    """A C++ text, built and run."""
    (folder / "p.cpp").write_text(text)
    build = run_sandboxed(
        ["g++", "-O1", "p.cpp", "-o", "p", "-pthread"],
        read_paths=(), write_dir=folder, limits=Limits(seconds=60), tool=True,
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    return run_sandboxed([str(folder / "p"), *argv], read_paths=(), write_dir=folder, limits=limits)


def test_a_file_outside_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    inside = tmp_path / "inside"
    inside.mkdir()
    result = shell("cat ../secret /etc/passwd; cat /proc/1/environ; ls /home", inside)
    assert result.returncode != 0
    assert result.stdout == b""


def test_a_granted_path_can_be_read_but_not_written(tmp_path: Path) -> None:
    granted, inside = tmp_path / "granted", tmp_path / "inside"
    granted.mkdir()
    inside.mkdir()
    (granted / "f").write_text("content")
    result = run_sandboxed(
        ["/bin/sh", "-c", f"cat {granted}/f; echo x > {granted}/f; echo y > {granted}/g"],
        read_paths=[granted], write_dir=inside, limits=Limits(),
    )  # fmt: skip
    assert result.stdout == b"content"
    assert [p.name for p in granted.iterdir()] == ["f"]
    assert (granted / "f").read_text() == "content"


def test_writing_is_for_the_own_folder_only(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    shell(
        "echo a > mine; echo b > ../theirs; mkdir ../d; rm -rf ../kept; ln -s /etc/passwd l", inside
    )
    assert read_output(inside, "mine", max_bytes=10) == b"a\n"
    assert [p.name for p in tmp_path.iterdir()] == ["inside"]
    assert not (inside / "l").is_symlink()


def test_no_mode_change_outside(tmp_path: Path) -> None:
    victim, inside = tmp_path / "victim", tmp_path / "inside"
    inside.mkdir()
    victim.touch(mode=0o600)
    shell("chmod 777 ../victim; chown 1:1 ../victim", inside)
    assert victim.stat().st_mode & 0o777 == 0o600
    assert victim.stat().st_uid == os.getuid()


def test_read_output_follows_no_link_and_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(b"12345")
    for name in ("link", "pipe", "long", "absent"):
        with pytest.raises(OSError, match=r"."):
            read_output(tmp_path, name, max_bytes=4)


@needs_gxx
def test_no_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        text = """#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <cstdlib>
#include <cstdio>
int main(int, char **v) {
  int made = 0;
  int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};
  for (int f : families)
    made += socket(f, SOCK_STREAM, 0) >= 0 || socket(f, SOCK_DGRAM, 0) >= 0;
  sockaddr_in a{}; a.sin_family = AF_INET; a.sin_port = htons(atoi(v[1]));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  printf("%d %d", made, connect(s, (sockaddr *)&a, sizeof a));
}"""
        result = compiled(text, tmp_path, Limits(), str(port))
        assert result.stdout == b"0 -1"
        with pytest.raises(TimeoutError):
            server.accept()


def test_an_endless_loop_is_stopped_in_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    result = shell("while :; do :; done", tmp_path, seconds=0.5)
    assert result.killed_by == "time"
    assert time.monotonic() - begun < 3


def test_processor_time_is_bounded_as_well(tmp_path: Path) -> None:
    result = shell("while :; do :; done", tmp_path, seconds=20, cpu_seconds=1)
    assert result.killed_by == "time"
    assert result.seconds < 10


def test_nothing_outlives_the_run(tmp_path: Path) -> None:
    shell("(setsid sleep 61.25 &); (sleep 61.25 &); sleep 61.25", tmp_path, seconds=0.3)
    shell("(setsid sleep 61.25 &); (sleep 61.25 &)", tmp_path)
    running = [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"61.25" in _read(p)]
    assert running == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@needs_gxx
def test_a_fork_bomb_is_bounded(tmp_path: Path) -> None:
    text = """#include <unistd.h>
#include <cstdio>
int main() { int n = 0; for (int i = 0; i < 500; i++) { int p = fork(); if (p == 0) { pause(); }
  if (p > 0) n++; } printf("%d", n); }"""
    result = compiled(text, tmp_path, Limits(seconds=5, processes=20))
    assert result.killed_by in (None, "processes")
    assert result.killed_by or int(result.stdout) < 200


@needs_gxx
@pytest.mark.parametrize("how", ["resident", "address"])
def test_a_memory_hog_is_bounded(tmp_path: Path, how: str) -> None:
    text = """#include <cstdlib>
#include <cstring>
int main() { for (;;) { char *p = (char *)malloc(1 << 20); if (!p) return 7;
  memset(p, 1, 1 << 20); } }"""
    small = 256 << 20
    bound = Limits(memory_bytes=small) if how == "resident" else Limits(address_bytes=small)
    result = compiled(text, tmp_path, bound)
    assert (result.killed_by, result.returncode) == (
        ("memory", -9) if how == "resident" else (None, 7)
    )
    assert result.peak_bytes < 1 << 30


@needs_gxx
def test_memory_that_is_only_reserved_does_not_count(tmp_path: Path) -> None:
    text = """#include <sys/mman.h>
int main() { int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  return mmap(0, 1ul << 40, 3, flags, -1, 0) == MAP_FAILED; }"""
    assert compiled(text, tmp_path, Limits(memory_bytes=64 << 20)).returncode == 0


def test_an_output_flood_is_cut(tmp_path: Path) -> None:
    result = shell("yes", tmp_path, output_bytes=10_000)
    assert result.killed_by == "output"
    assert len(result.stdout) == 10_000


def test_files_are_bounded_one_by_one_and_together(tmp_path: Path) -> None:
    one = shell("exec head -c 9000000 /dev/zero > f", tmp_path, file_bytes=100_000)
    assert one.killed_by == "files"
    assert (tmp_path / "f").stat().st_size == 100_000
    script = "i=0; while :; do i=$((i+1)); head -c 50000 /dev/zero > g$i; done"
    assert shell(script, tmp_path, disk_bytes=2_000_000).killed_by == "files"


@needs_gxx
def test_other_processes_are_out_of_reach(tmp_path: Path) -> None:
    text = """#include <sys/ptrace.h>
#include <sys/resource.h>
#include <signal.h>
#include <cstdlib>
#include <cstdio>
int main(int, char **v) { pid_t p = atoi(v[1]); rlimit l{1, 1};
  printf("%ld %d %d", ptrace(PTRACE_ATTACH, p, 0, 0), kill(p, 0), prlimit(p, RLIMIT_CORE, &l, 0));
  raise(SIGABRT); }"""
    result = compiled(text, tmp_path, Limits(), str(os.getpid()))
    assert result.stdout == b"" or result.stdout == b"-1 -1 -1"
    assert result.returncode == -6


def test_a_bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "t0ken")
    result = run_sandboxed(
        ["/usr/bin/env"], read_paths=(), write_dir=tmp_path, limits=Limits(), env={"MINE": "1"}
    )
    assert b"t0ken" not in result.stdout
    assert b"MINE=1" in result.stdout
    assert b"ls: " not in shell("ls -l /proc/self/fd/", tmp_path).stdout


def test_no_open_file_is_inherited(tmp_path: Path) -> None:
    with open(tmp_path / "open", "w") as file:
        os.set_inheritable(file.fileno(), True)
        result = shell("for i in 3 4 5 6 7 8 9; do (: >&$i) 2>/dev/null && echo $i; done", tmp_path)
    assert result.stdout == b""


@needs_gxx
def test_an_include_of_a_foreign_file_fails(tmp_path: Path) -> None:
    (tmp_path / "a.cpp").write_text('#include "/etc/passwd"\nasm(".incbin \\"/etc/passwd\\"");\n')
    result = run_sandboxed(
        ["g++", "-c", "a.cpp"], read_paths=(), write_dir=tmp_path, limits=Limits(), tool=True
    )
    assert result.returncode != 0
    assert b"Permission denied" in result.stderr
    assert b"root:" not in result.stderr


def test_zig_compiles_inside(tmp_path: Path) -> None:
    ziglang = pytest.importorskip("ziglang")
    home = Path(ziglang.__file__).parent
    (tmp_path / "a.c").write_text("int f(int x) { return x + 1; }\n")
    env = {f"ZIG_{kind}_CACHE_DIR": str(tmp_path / "cache") for kind in ("GLOBAL", "LOCAL")}
    for argv in (
        ["clang", "-c", "-O1", "a.c", "-o", "a.o"],
        ["ld.lld", "-shared", "a.o", "-o", "a.so"],
    ):
        result = run_sandboxed(
            [str(home / "zig"), *argv],
            read_paths=[home], write_dir=tmp_path, limits=Limits(seconds=60), env=env, tool=True,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.so").stat().st_size > 0


def test_standard_input_and_exit_codes(tmp_path: Path) -> None:
    big = os.urandom(3_000_000)
    bounds = Limits()
    echo = run_sandboxed(["cat"], read_paths=(), write_dir=tmp_path, limits=bounds, stdin=big)
    assert echo.stdout == big
    assert shell("exit 3", tmp_path).returncode == 3
    assert shell("kill -SEGV $$", tmp_path).returncode == -11


def test_a_missing_program_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    for program in ("no-such-program", str(tmp_path / "text")):
        with pytest.raises(XpilerError) as caught:
            run_sandboxed([program], read_paths=(), write_dir=tmp_path, limits=Limits())
        assert caught.value.diagnostics[0].code == "XP0802"


def test_a_program_that_is_still_open_for_writing_is_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "own"
    shutil.copy("/bin/true", program)
    with program.open("ab") as file:
        late = threading.Timer(0.3, file.close)
        late.start()
        done = run_sandboxed([str(program)], read_paths=(), write_dir=tmp_path, limits=Limits())
        late.join()
    assert done.returncode == 0


def test_policy_off_keeps_the_bounds(tmp_path: Path) -> None:
    with sandbox_policy("off"):
        assert shell("cat /etc/passwd", tmp_path).returncode == 0
        assert shell("sleep 60", tmp_path, seconds=0.3).killed_by == "time"
    assert shell("cat /etc/passwd", tmp_path).returncode != 0


def test_without_walls_the_answer_is_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xpiler.host import sandbox

    def refuse(request: dict[str, object], *_: object) -> object:
        talk = sandbox._Conversation(socket.socket(), {0: bytearray(), 1: bytearray()}, 1)
        talk.told += b'{"refused": ["filesystem", 38]}\n'
        return talk

    monkeypatch.setattr(sandbox, "_converse", refuse)
    with pytest.raises(XpilerError) as caught:
        run_sandboxed(["/bin/true"], read_paths=(), write_dir=tmp_path, limits=Limits())
    assert caught.value.diagnostics[0].code == "XP0801"
    assert "--no-sandbox" in caught.value.diagnostics[0].help


def test_many_threads_at_once(tmp_path: Path) -> None:
    def one(number: int) -> bytes:
        return shell(f"echo {number}", tmp_path).stdout

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(64)))
    assert answers == [b"%d\n" % n for n in range(64)]


def test_a_forked_parent_gets_a_launcher_of_its_own(tmp_path: Path) -> None:
    shell("true", tmp_path)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if shell("echo hi", tmp_path).stdout == b"hi\n" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert shell("echo ho", tmp_path).stdout == b"ho\n"


def test_the_launcher_may_be_lost(tmp_path: Path) -> None:
    from xpiler.host.launcher import LAUNCHER

    shell("true", tmp_path)
    assert LAUNCHER._process is not None
    LAUNCHER._process.kill()
    LAUNCHER._process.wait()
    assert shell("echo again", tmp_path).stdout == b"again\n"


def test_starting_a_child_costs_little(tmp_path: Path) -> None:
    shell("true", tmp_path)
    times = []
    for _ in range(15):
        begun = time.perf_counter()
        run_sandboxed(["/bin/true"], read_paths=(), write_dir=tmp_path, limits=Limits())
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.25  # a start from scratch takes longer even on an idle machine
