// Declarations of the C++ library's containers and streams: enough to parse the files that use
// them. Functions that depend on them are left out by the front end.
#pragma once
namespace std {
template <class T> struct initializer_list {
  const T* xp_begin; size_t xp_size;
  const T* begin() const; const T* end() const; size_t size() const;
};
template <class T> struct allocator {};
#pragma clang force_cuda_host_device begin
template <class T> inline T* xp_memory(size_t n) { return (T*)malloc(n * sizeof(T)); }
template <class T> inline T* xp_filled(size_t n, const T& v) {
  T* p = (T*)malloc(n * sizeof(T));
  for (size_t i = 0; i < n; ++i) p[i] = v;
  return p;
}
template <class T> inline T* xp_copied(const T* from, const T* end) {
  size_t n = end - from;
  T* p = (T*)malloc(n * sizeof(T));
  for (size_t i = 0; i < n; ++i) p[i] = from[i];
  return p;
}
template <class T, class A = allocator<T>> struct vector {
  typedef T value_type; typedef T* iterator; typedef const T* const_iterator;
  T* xp_data;
  size_t xp_size;
  explicit vector(size_t n) : xp_data(xp_filled<T>(n, T(0))), xp_size(n) {}
  vector(size_t n, const T& v) : xp_data(xp_filled<T>(n, v)), xp_size(n) {}
  vector(const T* a, const T* b) : xp_data(xp_copied<T>(a, b)), xp_size(b - a) {}
  vector(); vector(initializer_list<T>);
  vector(const vector&);
  vector& operator=(const vector&);
  T& operator[](size_t i) { return xp_data[i]; }
  const T& operator[](size_t i) const { return xp_data[i]; }
  T& at(size_t i) { return xp_data[i]; }
  T& front() { return xp_data[0]; }
  T& back() { return xp_data[xp_size - 1]; }
  T* data() { return xp_data; }
  const T* data() const { return xp_data; }
  size_t size() const { return xp_size; }
  bool empty() const { return xp_size == 0; }
  T* begin() { return xp_data; }
  T* end() { return xp_data + xp_size; }
  const T* begin() const { return xp_data; }
  const T* end() const { return xp_data + xp_size; }
  const T* cbegin() const { return xp_data; }
  const T* cend() const { return xp_data + xp_size; }
  size_t capacity() const;
  void push_back(const T&); template <class... Z> T& emplace_back(Z&&...); void pop_back();
  void resize(size_t); void resize(size_t, const T&); void reserve(size_t); void clear();
  void assign(size_t, const T&); template <class... Z> void insert(Z&&...); void swap(vector&);
};
template <class T> struct unique_ptr {
  unique_ptr(); explicit unique_ptr(T*);
  T* get() const; T& operator*() const; T* operator->() const; T* release();
};
template <class T> struct unique_ptr<T[]> {
  T* xp_data;
  explicit unique_ptr(T* p) : xp_data(p) {}
  T* get() const { return xp_data; }
  T& operator[](size_t i) const { return xp_data[i]; }
};
template <class T> struct xp_unbounded;
template <class T> struct xp_unbounded<T[]> { typedef T type; };
template <class T> inline unique_ptr<T> make_unique(size_t n) {
  typedef typename xp_unbounded<T>::type E;
  return unique_ptr<T>(xp_filled<E>(n, E(0)));
}
template <class T, class U> inline void fill(T* a, T* b, const U& v) {
  size_t n = b - a;
  for (size_t i = 0; i < n; ++i) a[i] = v;
}
template <class T, class N, class U> inline void fill_n(T* a, N n, const U& v) {
  for (N i = 0; i < n; ++i) a[i] = v;
}
template <class T, class U> inline void iota(T* a, T* b, U v) {
  size_t n = b - a;
  for (size_t i = 0; i < n; ++i) a[i] = v + (U)i;
}
template <class T, class U> inline U* copy(T* a, T* b, U* to) {
  size_t n = b - a;
  for (size_t i = 0; i < n; ++i) to[i] = a[i];
  return to + n;
}
template <class T, class U> inline U accumulate(T* a, T* b, U init) {
  size_t n = b - a;
  U sum = init;
  for (size_t i = 0; i < n; ++i) sum = sum + a[i];
  return sum;
}
template <class T, class U, class F> inline U accumulate(T* a, T* b, U init, F op) {
  size_t n = b - a;
  U sum = init;
  for (size_t i = 0; i < n; ++i) sum = op(sum, a[i]);
  return sum;
}
template <class T, class U, class V> inline V inner_product(T* a, T* b, U* c, V init) {
  size_t n = b - a;
  V sum = init;
  for (size_t i = 0; i < n; ++i) sum = sum + a[i] * c[i];
  return sum;
}
template <class T, class U, class F> inline U* transform(T* a, T* b, U* to, F f) {
  size_t n = b - a;
  for (size_t i = 0; i < n; ++i) to[i] = f(a[i]);
  return to + n;
}
template <class T> inline T* max_element(T* a, T* b) {
  size_t n = b - a, best = 0;
  for (size_t i = 1; i < n; ++i) if (a[best] < a[i]) best = i;
  return a + best;
}
template <class T> inline T* min_element(T* a, T* b) {
  size_t n = b - a, best = 0;
  for (size_t i = 1; i < n; ++i) if (a[i] < a[best]) best = i;
  return a + best;
}
#pragma clang force_cuda_host_device end
struct string {
  string(); string(const char*); string(const string&); ~string();
  string& operator=(const string&); string& operator+=(const string&); string& operator+=(char);
  char& operator[](size_t);
  const char* c_str() const; const char* data() const; size_t size() const; size_t length() const;
  bool empty() const; size_t find(const string&) const; string substr(size_t, size_t = -1) const;
};
string operator+(const string&, const string&);
bool operator==(const string&, const string&);
bool operator!=(const string&, const string&);
template <class T> string to_string(T);
int stoi(const string&); float stof(const string&);
struct ostream {
  template <class T> ostream& operator<<(const T&);
  ostream& operator<<(ostream& (*)(ostream&));
  ostream& flush(); int precision(int);
};
struct istream { template <class T> istream& operator>>(T&); };
extern ostream cout, cerr, clog;
extern istream cin;
ostream& endl(ostream&); ostream& flush(ostream&); ostream& fixed(ostream&);
ostream& scientific(ostream&); ostream& left(ostream&); ostream& right(ostream&);
ostream& boolalpha(ostream&);
struct xp_manip {};
xp_manip setprecision(int); xp_manip setw(int); xp_manip setfill(char);
struct ofstream : ostream { ofstream(); ofstream(const string&); bool is_open(); void close(); };
struct ifstream : istream { ifstream(); ifstream(const string&); bool is_open(); void close(); };
struct stringstream : ostream { string str() const; };
typedef stringstream ostringstream;
struct exception { virtual const char* what() const; };
struct runtime_error : exception { runtime_error(const string&); };
struct invalid_argument : exception { invalid_argument(const string&); };
struct logic_error : exception { logic_error(const string&); };
template <class I, class G> void generate(I, I, G);
template <class I> void sort(I, I);
template <class I, class C> void sort(I, I, C);
template <class I, class J, class O, class F> O transform(I, I, J, O, F);
template <class I, class J> bool equal(I, I, J);
template <class I, class F> F for_each(I, I, F);
template <class I> void reverse(I, I);
template <class I, class G> void shuffle(I, I, G&&);
template <class I, class O> O partial_sum(I, I, O);
template <class I, class O> O exclusive_scan(I, I, O, int);
struct mt19937 { mt19937(unsigned = 0); unsigned operator()(); void seed(unsigned); };
typedef mt19937 default_random_engine; typedef mt19937 mt19937_64; typedef mt19937 minstd_rand;
struct random_device { unsigned operator()(); };
template <class T = float> struct uniform_real_distribution {
  uniform_real_distribution(T = 0, T = 1); template <class G> T operator()(G&);
};
template <class T = int> struct uniform_int_distribution {
  uniform_int_distribution(T = 0, T = 1); template <class G> T operator()(G&);
};
template <class T = float> struct normal_distribution {
  normal_distribution(T = 0, T = 1); template <class G> T operator()(G&);
};
template <class T> struct plus { T operator()(const T&, const T&) const; };
template <class T> struct function {};
template <class... T> struct tuple {};
template <class K, class V> struct map { V& operator[](const K&); size_t size() const; };
template <class K, class V> struct unordered_map { V& operator[](const K&); size_t size() const; };
namespace chrono {
template <long N, long D> struct xp_ratio_duration {};
template <class R = double, class P = void> struct duration { duration(); template <class T> duration(const T&); R count() const; };
typedef duration<long> nanoseconds; typedef duration<long> microseconds;
typedef duration<long> milliseconds; typedef duration<long> seconds;
struct time_point { time_point(); };
duration<long> operator-(const time_point&, const time_point&);
template <class D, class R, class P> D duration_cast(const duration<R, P>&);
struct high_resolution_clock { typedef chrono::time_point time_point; static time_point now(); };
typedef high_resolution_clock steady_clock; typedef high_resolution_clock system_clock;
}
template <long N, long D = 1> struct ratio {};
typedef ratio<1, 1000> milli; typedef ratio<1, 1000000> micro; typedef ratio<1, 1000000000> nano;
}
