// The whole runtime as one translation unit, so that the hooks inline what they call. Compiled once a compiler, without
// instrumentation, exceptions or the C++ library.
#include "internal.h"

#include "fiber.cpp"
#include "memory.cpp"
#include "shadow.cpp"
#include "scratch.cpp"
#include "async.cpp"
#include "schedule.cpp"
#include "sync.cpp"
#include "findings.cpp"
#include "hooks.cpp"
#include "heap.cpp"
#include "trials.cpp"
#include "rounding.cpp"
#include "main.cpp"
