// Inline assembly: each statement is parsed once and interpreted by lib/ptx_*.cpp.
#ifndef XP_PTX_H
#define XP_PTX_H
namespace xp_simt {
// An operand of the statement. `value`: its bits; `place`: where a result goes (`bytes` of it), null for an input.
struct PtxGiven {
  const char* constraint;
  const char* name;
  void* place;
  int bytes;
  u64 value;
};
template <class T> XPRT_QUIET inline PtxGiven out(const char* constraint, T& lvalue, const char* name = "") {
  PtxGiven g = {constraint, name, (void*)&lvalue, (int)sizeof(T), 0};
  static_assert(sizeof(T) <= 8, "operands of inline assembly have at most 8 bytes");
  __builtin_memcpy(&g.value, &lvalue, sizeof(T));
  return g;
}
template <class T> inline PtxGiven in(const char* constraint, T value, const char* name = "") {
  PtxGiven g = {constraint, name, nullptr, (int)sizeof(T), 0};
  static_assert(sizeof(T) <= 8, "operands of inline assembly have at most 8 bytes");
  __builtin_memcpy(&g.value, &value, sizeof(T));
  return g;
}
inline PtxGiven in(const char* constraint, short value, const char* name = "") { return in(constraint, (int)value, name); }
inline PtxGiven in(const char* constraint, signed char value, const char* name = "") { return in(constraint, (int)value, name); }
inline PtxGiven in(const char* constraint, char value, const char* name = "") { return in(constraint, (int)value, name); }
inline PtxGiven in(const char* constraint, bool value, const char* name = "") { return in(constraint, (int)value, name); }

struct PtxProgram;
void ptx_run(PtxProgram*& program, const char* text, bool extended, PtxGiven* given, int count, int line);
void gcn_run(const char* text, int line);

template <class Text, class... Given> inline void ptx(int line, Text text, bool extended, Given... given) {
  static PtxProgram* program;
  PtxGiven list[] = {given..., PtxGiven{}};
  ptx_run(program, text(), extended, list, (int)sizeof...(given), line);
}
template <class Text, class... Given> inline void gcn(int line, Text text, bool, Given...) { gcn_run(text(), line); }
}  // namespace xp_simt
#endif
