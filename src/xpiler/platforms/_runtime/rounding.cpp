// Rounding to whole numbers is what it is in runs that round every other operation up or down: to the nearest, ties to even.
// Such a run tells what rounding errors move; that a text rounds on purpose is none.
static __attribute__((noinline)) void check_fits(double x, uintptr_t pc) {
  if (x >= -0x1p63 && x < 0x1p63) return;
  Report f;
  f.severity = severity_note, f.kind = "float_to_int", f.message = "a floating value does not fit the integer type it is rounded to";
  f.site = site(pc);
  report(f);
}

extern "C" {
double roundeven(double) noexcept;
float roundevenf(float) noexcept;
double rint(double x) noexcept { return roundeven(x); }
float rintf(float x) noexcept { return roundevenf(x); }
double nearbyint(double x) noexcept { return roundeven(x); }
float nearbyintf(float x) noexcept { return roundevenf(x); }
long lrint(double x) noexcept { return check_fits(x, AT), long(roundeven(x)); }
long lrintf(float x) noexcept { return check_fits(x, AT), long(roundevenf(x)); }
long long llrint(double x) noexcept { return check_fits(x, AT), (long long)(roundeven(x)); }
long long llrintf(float x) noexcept { return check_fits(x, AT), (long long)(roundevenf(x)); }
}
