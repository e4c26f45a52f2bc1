// What the compiler's instrumentation calls. `-fsanitize=thread` announces each load and store (the sanitizer's own library is not
// linked: these definitions take its place); `-fsanitize=bounds,alignment,...` calls handlers with the exact line.
using namespace xprt;

#define AT uintptr_t(__builtin_return_address(0))

extern "C" {

#define HOOKS(n)                                                                                             \
  void __tsan_read##n(void* a) { access<access_read>(uintptr_t(a), n, site(AT)); }                                  \
  void __tsan_write##n(void* a) { access<access_write>(uintptr_t(a), n, site(AT)); }                                  \
  void __tsan_volatile_read##n(void* a) { volatile_access(uintptr_t(a), n, false, site(AT)); }                \
  void __tsan_volatile_write##n(void* a) { volatile_access(uintptr_t(a), n, true, site(AT)); }                \
  void __tsan_unaligned_read##n(void* a) { access_range(uintptr_t(a), n, false, site(AT)); }                  \
  void __tsan_unaligned_write##n(void* a) { access_range(uintptr_t(a), n, true, site(AT)); }                  \
  void __tsan_unaligned_volatile_read##n(void* a) { access_range(uintptr_t(a), n, false, site(AT)); }         \
  void __tsan_unaligned_volatile_write##n(void* a) { access_range(uintptr_t(a), n, true, site(AT)); }         \
  void __tsan_read_write##n(void* a) { access<access_read>(uintptr_t(a), n, site(AT)), access<access_write>(uintptr_t(a), n, site(AT)); } \
  void __tsan_unaligned_read_write##n(void* a) {                                                              \
    access_range(uintptr_t(a), n, false, site(AT)), access_range(uintptr_t(a), n, true, site(AT));           \
  }
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16)

void __tsan_init() {}
void __tsan_vptr_update(void* a, void*) { access<access_write>(uintptr_t(a), sizeof(void*), site(AT)); }
void __tsan_vptr_read(void* a) { access<access_read>(uintptr_t(a), sizeof(void*), site(AT)); }
void __tsan_read_range(void* a, size_t n) { access_range(uintptr_t(a), n, false, site(AT)); }
void __tsan_write_range(void* a, size_t n) { access_range(uintptr_t(a), n, true, site(AT)); }
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// ---- block operations: the sanitizer's names (clang) and, by the linker's --wrap, the C library's (gcc) -----------------

void* __tsan_memcpy(void* d, const void* s, size_t n) { return watched_copy(d, s, n, site(AT)), d; }
void* __tsan_memmove(void* d, const void* s, size_t n) { return watched_copy(d, s, n, site(AT)), d; }
void* __tsan_memset(void* d, int v, size_t n) { return watched_fill(d, v, n, site(AT)), d; }
void* __wrap_memcpy(void* d, const void* s, size_t n) { return watched_copy(d, s, n, site(AT)), d; }
void* __wrap_memmove(void* d, const void* s, size_t n) { return watched_copy(d, s, n, site(AT)), d; }
void* __wrap_memset(void* d, int v, size_t n) { return watched_fill(d, v, n, site(AT)), d; }

// ---- ways to end a program (also with checks off) -----------------------------------------------------------

[[noreturn]] void __wrap_abort() {
  Report f;
  f.kind = "abort", f.message = "the program called abort()", f.site = site(AT);
  report(f);
  finish_run(74);
}
[[noreturn]] void __assert_fail(const char* condition, const char* file, unsigned line, const char*) noexcept {
  Report f;
  f.kind = "assert", f.message = condition, f.site = site(AT), f.file = file, f.line = int(line);
  report(f);
  finish_run(71);
}

// ---- atomics of the language (__atomic_*, std::atomic) ------------------------------------------------------

#define ATOMICS(bits)                                                                                        \
  typedef uint##bits##_t Word##bits;                                                                         \
  Word##bits __tsan_atomic##bits##_load(const volatile Word##bits* p, int) {                                 \
    return language_atomic(p, bits / 8, AT), *p;                                                             \
  }                                                                                                          \
  void __tsan_atomic##bits##_store(volatile Word##bits* p, Word##bits v, int) {                              \
    language_atomic(p, bits / 8, AT), *p = v;                                                                \
  }                                                                                                          \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile Word##bits* p, Word##bits* expected, Word##bits v, int, int) { \
    language_atomic(p, bits / 8, AT);                                                                        \
    if (*p == *expected) return *p = v, 1;                                                                   \
    return *expected = *p, 0;                                                                                \
  }                                                                                                          \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile Word##bits* p, Word##bits* e, Word##bits v, int a, int b) { \
    return __tsan_atomic##bits##_compare_exchange_strong(p, e, v, a, b);                                     \
  }                                                                                                          \
  Word##bits __tsan_atomic##bits##_compare_exchange_val(volatile Word##bits* p, Word##bits e, Word##bits v, int, int) { \
    language_atomic(p, bits / 8, AT);                                                                        \
    Word##bits old = *p;                                                                                     \
    if (old == e) *p = v;                                                                                    \
    return old;                                                                                              \
  }
#define ATOMIC_OP(bits, name, update)                                                                        \
  Word##bits __tsan_atomic##bits##_##name(volatile Word##bits* p, Word##bits v, int) {                       \
    language_atomic(p, bits / 8, AT);                                                                        \
    Word##bits old = *p;                                                                                     \
    *p = Word##bits(update);                                                                                 \
    return old;                                                                                              \
  }
#define ATOMIC_OPS(bits)                                                                                     \
  ATOMICS(bits)                                                                                              \
  ATOMIC_OP(bits, exchange, v) ATOMIC_OP(bits, fetch_add, old + v) ATOMIC_OP(bits, fetch_sub, old - v)       \
  ATOMIC_OP(bits, fetch_and, old & v) ATOMIC_OP(bits, fetch_or, old | v) ATOMIC_OP(bits, fetch_xor, old ^ v) \
  ATOMIC_OP(bits, fetch_nand, ~(old & v))
ATOMIC_OPS(8) ATOMIC_OPS(16) ATOMIC_OPS(32) ATOMIC_OPS(64)

void __tsan_atomic_thread_fence(int) { fence(scope_device); }
void __tsan_atomic_signal_fence(int) {}

// ---- undefined behaviour that the compiler sees ----------------------------------------------------------------

struct SourceLocation { const char* file; uint32_t line, column; };
struct TypeDescriptor { uint16_t kind, info; char name[1]; };
struct BoundsData { SourceLocation at; TypeDescriptor* array; TypeDescriptor* index; };
struct MismatchData { SourceLocation at; TypeDescriptor* type; uint8_t log_align, check; };
struct OverflowData { SourceLocation at; TypeDescriptor* type; };
struct CastData { SourceLocation at; TypeDescriptor *from, *to; };

static void language_fault(Severity severity, const char* kind, const char* message, const SourceLocation& at, uintptr_t pc) {
  if (quiet) return;
  Report f;
  f.severity = severity, f.kind = kind, f.message = message, f.site = site(pc), f.file = at.file, f.line = int(at.line);
  report(f);
}

static int64_t value_of(const TypeDescriptor* t, uintptr_t v) {
  unsigned bits = 1u << (t->info >> 1);
  if (t->info & 1 && bits < 64) return int64_t(v << (64 - bits)) >> (64 - bits);
  return int64_t(v);
}

void __ubsan_handle_out_of_bounds(BoundsData* d, uintptr_t index) {
  char text[200];
  snprintf(text, sizeof text, "index %lld of an array of type %s", static_cast<long long>(value_of(d->index, index)), d->array->name);
  language_fault(severity_error, "array_bounds", text, d->at, AT);
}
void __ubsan_handle_type_mismatch_v1(MismatchData* d, uintptr_t p) {
  char text[200];
  if (p && !(p & ((1ull << d->log_align) - 1))) {   // what lies in a region is looked at there
    snprintf(text, sizeof text, "an object of type %s reaches past the end of the array that it lies in", d->type->name);
    if (!find_region(p)) language_fault(severity_error, "array_bounds", text, d->at, AT);
    return;
  }
  snprintf(text, sizeof text, "an object of type %s must lie at a multiple of %u bytes; this address is %llu past one", d->type->name,
           1u << d->log_align, static_cast<unsigned long long>(p & ((1ull << d->log_align) - 1)));
  language_fault(severity_error, p ? "misaligned" : "null_pointer", text, d->at, AT);
}
void __ubsan_handle_alignment_assumption(MismatchData* d, uintptr_t p, uintptr_t align, uintptr_t) {
  if (p & (align - 1)) language_fault(severity_error, "misaligned", "an address is less aligned than the program promises", d->at, AT);
}
void __ubsan_handle_divrem_overflow(OverflowData* d, uintptr_t, uintptr_t) {
  language_fault(severity_error, "division", "an integer is divided by zero, or the quotient does not fit", d->at, AT);
  finish_run(70);
}
void __ubsan_handle_shift_out_of_bounds(CastData* d, uintptr_t, uintptr_t amount) {
  char text[120];
  snprintf(text, sizeof text, "a shift by %lld", static_cast<long long>(value_of(d->to, amount)));
  language_fault(severity_error, "shift", text, d->at, AT);
}
void __ubsan_handle_float_cast_overflow(CastData* d, uintptr_t) {
  language_fault(severity_note, "float_to_int", "a floating value does not fit the integer type it is converted to", d->at, AT);
}

}  // extern "C"
