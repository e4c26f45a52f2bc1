// What each instruction of BANG C means, as plain C++. The front end reads these bodies in place of
// the calls; whoever maps loops to instructions matches loops against them; a generated test holds
// each against the emulator, which shares nothing with this file.
//
// n counts elements and `bytes` bytes; a segment number counts one less than there are segments.
// Asynchronous forms have the effect of the others: a missing wait is the emulator's to find.
#pragma once
#ifdef __BANG__
#pragma clang force_cuda_host_device begin
#endif

#include "semantics/copies.cpp"
#include "semantics/arithmetic.cpp"
#include "semantics/conversions.cpp"
#include "semantics/reductions.cpp"
#include "semantics/shapes.cpp"
#include "semantics/matrices.cpp"
#include "semantics/atomics.cpp"

#ifdef __BANG__
#pragma clang force_cuda_host_device end
#endif
