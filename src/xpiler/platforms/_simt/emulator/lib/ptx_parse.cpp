// Parses the text of an inline assembly statement.
#include "ptx.h"
#ifndef XP_HIP

namespace xp_simt {
namespace {
alignas(16) char pool[2 << 20];
xprt_size used;
}  // namespace

void* arena(xprt_size bytes) {
  bytes = (bytes + 15) / 16 * 16;
  if (used + bytes > sizeof pool) xprt::trap("unsupported", "too much inline assembly in one program", 0);
  void* p = pool + used;
  used += bytes;
  return p;
}
const char* keep(const char* from, int length) {
  char* p = static_cast<char*>(arena((xprt_size)length + 1));
  for (int i = 0; i < length; ++i) p[i] = from[i];
  return p;
}
bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}
bool begins(const char* text, const char* prefix) {
  while (*prefix && *text == *prefix) ++text, ++prefix;
  return !*prefix;
}
bool PtxInstruction::has(const char* p) const {
  for (int i = 1; i < parts_count; ++i)
    if (same(parts[i], p)) return true;
  return false;
}

namespace {
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Parser {
  const char* at;
  bool extended;
  const PtxGiven* given;
  int given_count, line;
  PtxProgram* program;
  int lists_count;
  const char* names[max_registers];
  int names_count;

  [[noreturn]] void fail(const char* why) const {
    char text[200];
    __builtin_snprintf(text, sizeof text, "inline PTX: %s near \"%.60s\"", why, at);
    xprt::trap("unsupported", text, line);
  }
  void blank() {
    for (;;) {
      if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') ++at;
      else if (at[0] == '/' && at[1] == '/') while (*at && *at != '\n') ++at;
      else if (at[0] == '/' && at[1] == '*') {
        while (*at && !(at[0] == '*' && at[1] == '/')) ++at;
        if (*at) at += 2;
      } else return;
    }
  }
  bool take(char c) {
    blank();
    if (*at != c) return false;
    ++at;
    return true;
  }
  void need(char c) { if (!take(c)) fail("unexpected text"); }
  int word_length(const char* p) const {
    int n = 0;
    while (is_word(p[n])) ++n;
    return n;
  }
  int name_of(const char* p, int n) const {
    for (int i = 0; i < names_count; ++i)
      if ((int)__builtin_strlen(names[i]) == n && !__builtin_memcmp(names[i], p, (size_t)n)) return i;
    return -1;
  }
  int declare(const char* p, int n) {
    const int found = name_of(p, n);
    if (found >= 0) return found;
    if (names_count == max_registers) fail("too many registers");
    names[names_count] = keep(p, n);
    return names_count++;
  }

  // .reg .b32 a, b<4>;
  void registers() {
    while (*at && *at != '.') ++at;
    while (*at && *at != ' ' && *at != '\t') ++at;
    do {
      blank();
      if (*at == '%') ++at;
      if (*at == '%') ++at;
      const char* p = at;
      const int n = word_length(p);
      if (!n) fail("a register's name is missing");
      at += n;
      if (!take('<')) { declare(p, n); continue; }
      const long long count = integer();
      for (long long k = 0; k < count; ++k) {
        char name[80];
        const int length = __builtin_snprintf(name, sizeof name, "%.*s%lld", n < 60 ? n : 60, p, k);
        declare(name, length);
      }
      need('>');
    } while (take(','));
    need(';');
  }

  long long integer() {
    blank();
    const bool minus = take('-');
    unsigned long long v = 0;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
      for (at += 2; ; ++at) {
        const char c = (char)(*at | 32);
        if (is_digit(*at)) v = v * 16 + (unsigned)(*at - '0');
        else if (c >= 'a' && c <= 'f') v = v * 16 + (unsigned)(c - 'a' + 10);
        else break;
      }
    } else {
      while (is_digit(*at)) v = v * 10 + (unsigned)(*at++ - '0');
    }
    if (*at == 'U') ++at;
    return minus ? -(long long)v : (long long)v;
  }
  // 0f3F800000, 0d..., 1.5, 12, -3, 0x1f
  void number(PtxArgument& a) {
    a.kind = is_number;
    a.number_kind = 'i';
    const char mark = (char)(at[0] == '0' ? at[1] | 32 : 0);
    if ((mark == 'f' || mark == 'd') && at[0] == '0') {
      const int digits = mark == 'f' ? 8 : 16;
      char text[20] = "0x";
      for (int i = 0; i < digits; ++i) text[2 + i] = at[2 + i];
      const char* after = at + 2 + digits;
      at = text;
      a.value = (u64)integer();
      a.number_kind = mark;
      at = after;
      return;
    }
    const char* p = at;
    a.value = (u64)integer();
    if (*at == '.' && is_digit(at[1])) {
      double v = 0, scale = 1;
      for (const char* q = p + (*p == '-'); q != at; ++q) v = v * 10 + (*q - '0');
      for (++at; is_digit(*at); ++at) v += (*at - '0') * (scale /= 10);
      a.value = bits<u64>(*p == '-' ? -v : v);
      a.number_kind = 'd';
    }
  }

  void percent(PtxArgument& a) {
    ++at;
    if (extended && *at == '%') {
      ++at;
    } else if (extended && *at == '[') {
      const char* p = at + 1;
      const int n = word_length(p);
      at = p + n + 1;
      for (int i = 0; i < given_count; ++i)
        if ((int)__builtin_strlen(given[i].name) == n && !__builtin_memcmp(given[i].name, p, (size_t)n)) {
          a.kind = is_given;
          a.index = i;
          return;
        }
      fail("no operand has this name");
    } else if (extended && is_digit(*at)) {
      a.kind = is_given;
      a.index = (int)integer();
      if (a.index >= given_count) fail("no such operand");
      return;
    }
    int n = word_length(at);
    if (at[n] == '.' && word_length(at + n + 1) == 1) n += 2;       // %tid.x
    const int special = special_number(at, n);
    const int declared = name_of(at, n);
    if (special < 0 && declared < 0) fail("unknown register");
    a.kind = declared >= 0 ? is_register : is_special;
    a.index = declared >= 0 ? declared : special;
    at += n;
  }

  PtxArgument* argument() {
    PtxArgument* a = static_cast<PtxArgument*>(arena(sizeof(PtxArgument)));
    fill(*a);
    if (take('|')) a->second = argument();
    return a;
  }
  void fill(PtxArgument& a) {
    blank();
    if (take('!')) { fill(a); a.negated = true; return; }
    if (*at == '%') return percent(a);
    if (*at == '[') return address(a);
    if (*at == '{') return list(a);
    if (is_digit(*at) || (*at == '-' && is_digit(at[1]))) return number(a);
    if (*at == '-') { ++at; fill(a); a.negated = true; return; }
    const int n = word_length(at);
    if (!n) fail("an operand is missing");
    if (n == 1 && *at == '_') { ++at; a.kind = is_nothing; return; }
    const int found = name_of(at, n);
    if (found >= 0) { a.kind = is_register; a.index = found; }
    else if (special_number(at, n) >= 0) { a.kind = is_special; a.index = special_number(at, n); }
    else { a.kind = is_label; a.index = label(at, n); }
    at += n;
  }
  void address(PtxArgument& a) {
    need('[');
    a.kind = is_address;
    a.base = argument();
    blank();
    if (*at == '+') { ++at; PtxArgument* o = argument(); offset(a, *o); }
    else if (*at == '-') a.offset = integer();
    need(']');
  }
  void offset(PtxArgument& a, const PtxArgument& o) {
    if (o.kind == is_number) a.offset = (long long)o.value;
    else if (o.kind == is_given) a.offset = (long long)(int)given[o.index].value;
    else fail("an offset must be a number");
  }
  void list(PtxArgument& a) {
    need('{');
    PtxArgument members[32];
    int n = 0;
    blank();
    if (*at != '}') do {
      if (n == 32) fail("too many members");
      members[n] = PtxArgument();
      fill(members[n++]);
    } while (take(','));
    need('}');
    a.kind = is_list;
    a.index = lists_count;
    a.count = n;
    for (int i = 0; i < n; ++i) program->lists[lists_count++] = members[i];
  }
  int label(const char* p, int n) {
    for (int i = 0; i < program->labels_count; ++i)
      if ((int)__builtin_strlen(program->labels[i].name) == n && !__builtin_memcmp(program->labels[i].name, p, (size_t)n)) return i;
    if (program->labels_count == 8) fail("too many labels");
    program->labels[program->labels_count] = {keep(p, n), -1};
    return program->labels_count++;
  }

  static bool type_of(const char* p, PtxType& t) {
    struct Row { const char* name; PtxType type; };
    static const Row rows[] = {
        {"pred", {'p', 8, 1}}, {"s8", {'s', 8, 1}}, {"s16", {'s', 16, 1}}, {"s32", {'s', 32, 1}}, {"s64", {'s', 64, 1}},
        {"u8", {'u', 8, 1}}, {"u16", {'u', 16, 1}}, {"u32", {'u', 32, 1}}, {"u64", {'u', 64, 1}}, {"b8", {'b', 8, 1}},
        {"b16", {'b', 16, 1}}, {"b32", {'b', 32, 1}}, {"b64", {'b', 64, 1}}, {"f16", {'f', 16, 1}},
        {"f16x2", {'f', 16, 2}}, {"f32", {'f', 32, 1}}, {"f64", {'f', 64, 1}}, {"bf16", {'h', 16, 1}},
        {"bf16x2", {'h', 16, 2}}, {"tf32", {'t', 32, 1}},
    };
    for (const Row& r : rows)
      if (same(p, r.name)) { t = r.type; return true; }
    return false;
  }
  void opcode(PtxInstruction& i) {
    const char* p = at;
    while (is_word(*at) || *at == '.' || *at == ':') ++at;
    if (p == at) fail("an instruction is missing");
    i.opcode = keep(p, (int)(at - p));
    const char* from = p;
    for (const char* q = p;; ++q) {
      if (q != at && *q != '.') continue;
      if (i.parts_count == max_parts) fail("too many modifiers");
      i.parts[i.parts_count] = keep(from, (int)(q - from));
      PtxType t;
      if (i.parts_count && i.types_count < max_types && type_of(i.parts[i.parts_count], t)) i.types[i.types_count++] = t;
      ++i.parts_count;
      from = q + 1;
      if (q == at) break;
    }
  }
  void instruction(PtxInstruction& i) {
    i.guard = -1;
    if (take('@')) {
      i.guard_negated = take('!');
      PtxArgument* p = argument();
      if (p->kind != is_register) fail("a guard must be a predicate register");
      i.guard = p->index;
      blank();
    }
    opcode(i);
    blank();
    if (*at && *at != ';') do {
      if (i.arguments_count == max_operands) fail("too many operands");
      i.arguments[i.arguments_count++] = argument();
    } while (take(','));
    blank();
    if (*at && *at != '}') need(';');
    i.run = find_handler(i);
    if (!i.run) {
      char text[160];
      __builtin_snprintf(text, sizeof text, "inline PTX: the instruction %s is not modelled", i.opcode);
      xprt::trap("unsupported", text, line);
    }
  }
  bool label_here() {
    const int n = word_length(at);
    const char* p = at + n;
    while (*p == ' ') ++p;
    if (!n || *p != ':' || p[1] == ':') return false;
    program->labels[label(at, n)].at = program->count;
    at = p + 1;
    return true;
  }
  void statements() {
    for (;;) {
      blank();
      if (!*at) return;
      if (take(';') || take('{') || take('}') || label_here()) continue;
      if (begins(at, ".reg")) { at += 4; registers(); continue; }
      if (*at == '.') fail("a directive that is not modelled");
      instruction(program->code[program->count++]);
    }
  }
};
}  // namespace

PtxProgram* ptx_parse(const char* text, bool extended, const PtxGiven* given, int count, int line) {
  int most = 1, members = 0;
  for (const char* p = text; *p; ++p) most += *p == ';', members += *p == ',' || *p == '{';
  PtxProgram* program = static_cast<PtxProgram*>(arena(sizeof(PtxProgram)));
  program->code = static_cast<PtxInstruction*>(arena((xprt_size)most * sizeof(PtxInstruction)));
  program->lists = static_cast<PtxArgument*>(arena((xprt_size)(members + 1) * sizeof(PtxArgument)));
  Parser parser = {text, extended, given, count, line, program, 0, {}, 0};
  parser.statements();
  program->registers = parser.names_count;
  return program;
}
}  // namespace xp_simt
#endif
