// Fibers: a stack each, and a switch between them that saves what the calling convention asks for, nothing more.
// (ucontext's swapcontext makes system calls: some 400 ns a switch; this one takes about 2.)

extern "C" void xprt_switch(void** save, void* load);   // stores the own stack pointer, goes on at `load`

#if defined(__x86_64__)
asm(R"(
.text
.globl xprt_switch
.hidden xprt_switch
.type xprt_switch,@function
xprt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size xprt_switch,.-xprt_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl xprt_switch
.hidden xprt_switch
.type xprt_switch,%function
xprt_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x2, sp
  str x2, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size xprt_switch,.-xprt_switch
)");
#else
#error "no context switch for this processor"
#endif

namespace xprt {

// All stacks lie in one reserved range, so that an address tells whose stack it is on; pages appear when touched.
// The lowest page of each stays closed: running into it is a stack overflow, not a neighbour's corruption.
static const size_t stack_bytes = 512 * 1024;
static char* stack_base;
static size_t stack_span;                  // bytes reserved
static unsigned stacks_open, stacks_free_count, stacks_max;
static char** stacks_free;

static void stacks_reserve(unsigned count) {
  if (count <= stacks_max) return;
  if (stack_base) munmap(stack_base, stack_span);   // none is in use between launches
  stack_span = size_t(count) * stack_bytes;
  void* p = mmap(nullptr, stack_span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) fail("no address space for the threads' stacks");
  stack_base = static_cast<char*>(p);
  stacks_free = static_cast<char**>(heap_resize(stacks_free, count * sizeof(char*)));
  stacks_max = count;
  stacks_open = stacks_free_count = 0;
}

static char* stack_take() {
  if (LIKELY(stacks_free_count)) return stacks_free[--stacks_free_count];
  char* low = stack_base + stacks_open++ * stack_bytes;
  if (mprotect(low + page, stack_bytes - page, PROT_READ | PROT_WRITE)) fail("no memory for a thread's stack");
  return low + page;
}

static inline void stack_give(char* low) { stacks_free[stacks_free_count++] = low; }

static inline bool on_some_stack(uintptr_t a) { return a - uintptr_t(stack_base) < stack_span; }

static inline bool on_stack_of(uintptr_t a, const char* low) { return a - uintptr_t(low) < stack_bytes - page; }

// Stacks start at different offsets in their pages, so that the tops of many stacks do not fall into the same cache sets.
static inline size_t stagger(const char* low) { return (uintptr_t(low) / stack_bytes * 7 % 48) * 64; }

// A first frame on `low`'s stack such that switching to it enters `entry`.
static void* first_frame(char* low, void (*entry)()) {
  char* top = low + (stack_bytes - page) - stagger(low);
#if defined(__x86_64__)
  void** sp = reinterpret_cast<void**>(top - 64);    // entry starts with sp = 8 modulo 16, as after a call
  sp[6] = reinterpret_cast<void*>(entry);
  sp[7] = nullptr;
  sp[5] = nullptr;                                   // rbp: end of frame chains
#else
  void** sp = reinterpret_cast<void**>(top - 192);
  memset(sp, 0, 160);
  sp[11] = reinterpret_cast<void*>(entry);           // x30
#endif
  return sp;
}

}  // namespace xprt
