// BANG C for the emulator: what the vendor's compiler brings along before every .mlu file.
//
// Everything of ours lives in namespace xp_bang (xp_simt: what rewritten launches call) or begins with xp_/XP_; what stands outside is
// named by the vendor. What an instruction does is in lib/: here are names, types and overloads.
#ifndef XP_BANG_H
#define XP_BANG_H
#include "xp_bang_core.h"
#include "xp_bang_math.h"
#include "xp_bang_memory.h"
#include "xp_bang_vector.h"
#include "xp_bang_matrix.h"
#include "xp_bang_convert.h"
#include "xp_bang_special.h"
#include "xp_bang_atomic.h"
#include "xp_bang_host.h"
#endif
