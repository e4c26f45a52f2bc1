// The parsed form of inline PTX, and what the handlers of instructions see.
#ifndef XP_LIB_PTX_H
#define XP_LIB_PTX_H
#include "xp_simt.h"
#include "xp_float16.h"
#include "xp_ptx.h"

namespace xp_simt {
enum Limits { max_parts = 16, max_operands = 12, max_types = 6, max_registers = 96 };

// A type suffix: `kind` s, u, b, f (binary), h (bf16), t (tf32), p (predicate); `bits` of one part, `parts` 1 or 2.
struct PtxType {
  char kind;
  int bits, parts;
  int bytes() const { return bits * parts / 8; }
};

enum OperandKind { is_nothing, is_given, is_register, is_number, is_special, is_address, is_list, is_label };
struct PtxArgument {
  OperandKind kind;
  bool negated;                 // !p, or a minus sign
  int index;                    // of the given operand, register, special register, first of a list
  int count;                    // of a list
  PtxArgument* base;            // of an address
  PtxArgument* second;          // q of p|q
  long long offset;             // of an address
  u64 value;                    // number: its bits
  char number_kind;             // i, f (32-bit pattern), d (64-bit pattern)
};

struct Frame;
struct PtxInstruction;
typedef void (*Handler)(Frame&, const PtxInstruction&);
struct PtxInstruction {
  Handler run;
  const char* opcode;                       // the whole text, for messages
  const char* parts[max_parts];             // between its points
  int parts_count;
  PtxType types[max_types];
  int types_count;
  PtxArgument* arguments[max_operands];
  int arguments_count;
  int guard;                                // register of @p, or -1
  bool guard_negated;
  mutable void* form;                       // what a handler worked out the first time
  bool has(const char* part) const;
  const char* part(int i) const { return i < parts_count ? parts[i] : ""; }
  PtxType type(int i = 0) const { return i < types_count ? types[i] : PtxType{'b', 32, 1}; }
};
struct Label { const char* name; int at; };
struct PtxProgram {
  PtxInstruction* code;
  int count, registers;
  PtxArgument* lists;                       // members of vector operands, in a row
  Label labels[8];
  int labels_count;
};

// One execution by one lane.
struct Frame {
  const PtxProgram* program;
  PtxGiven* given;
  int line, next;
  u64 registers[max_registers];

  u64 get(const PtxArgument& a) const;
  u64 get(const PtxInstruction& i, int n) const { return get(*i.arguments[n]); }
  void set(const PtxArgument& a, u64 value, int bytes);
  void set(const PtxInstruction& i, int n, u64 value);      // a narrow signed result fills its wider register
  bool predicate(const PtxArgument& a) const { return ((get(a) & 1) != 0) != a.negated; }
  char* address(const PtxInstruction& i, int n) const;     // generic; shared ones by their space modifier
  [[noreturn]] void unsupported(const PtxInstruction& i, const char* why) const;
};

const char* keep(const char* from, int length);              // interned text
void* arena(xprt_size bytes);                                // zeroed, never freed
bool same(const char* a, const char* b);
bool begins(const char* text, const char* prefix);
u64 special_register(int index);
int special_number(const char* name, int length);            // -1: not known
Handler find_handler(const PtxInstruction& i);               // null: not known
Handler find_arithmetic(const char* name);
Handler find_memory(const PtxInstruction& i);
Handler find_collective(const PtxInstruction& i);
PtxProgram* ptx_parse(const char* text, bool extended, const PtxGiven* given, int count, int line);

double to_double(PtxType t, u64 bits_of);                    // one part of a floating type
u64 from_double(PtxType t, double v);
long long to_signed(PtxType t, u64 bits_of);                 // extended from the type's width
}  // namespace xp_simt
#endif
