// Declarations of the C++ library's containers and streams: enough to parse the files that use
// them. Functions that depend on them are left out by the front end.
#pragma once
namespace std {
template <class T> struct initializer_list {
  const T* xp_begin; size_t xp_size;
  const T* begin() const; const T* end() const; size_t size() const;
};
template <class T> struct allocator {};
template <class T, class A = allocator<T>> struct vector {
  typedef T value_type; typedef T* iterator; typedef const T* const_iterator;
  vector(); explicit vector(size_t); vector(size_t, const T&); vector(initializer_list<T>);
  template <class I> vector(I, I);
  vector(const vector&); ~vector();
  vector& operator=(const vector&);
  T& operator[](size_t); const T& operator[](size_t) const;
  T& at(size_t); T& front(); T& back(); T* data(); const T* data() const;
  size_t size() const; bool empty() const; size_t capacity() const;
  void push_back(const T&); template <class... Z> T& emplace_back(Z&&...); void pop_back();
  void resize(size_t); void resize(size_t, const T&); void reserve(size_t); void clear();
  void assign(size_t, const T&); template <class... Z> void insert(Z&&...); void swap(vector&);
  T* begin(); T* end(); const T* begin() const; const T* end() const;
  const T* cbegin() const; const T* cend() const;
};
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
template <class I, class T> void fill(I, I, const T&);
template <class I, class T> void iota(I, I, T);
template <class I, class G> void generate(I, I, G);
template <class I> void sort(I, I);
template <class I, class C> void sort(I, I, C);
template <class I, class O> O copy(I, I, O);
template <class I, class O, class F> O transform(I, I, O, F);
template <class I, class J, class O, class F> O transform(I, I, J, O, F);
template <class I, class T> T accumulate(I, I, T);
template <class I, class T, class F> T accumulate(I, I, T, F);
template <class I, class J, class T> T inner_product(I, I, J, T);
template <class I> I max_element(I, I);
template <class I> I min_element(I, I);
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
template <class T> struct unique_ptr {
  unique_ptr(); explicit unique_ptr(T*); ~unique_ptr();
  T* get() const; T& operator*() const; T* operator->() const; T* release();
};
template <class T> struct unique_ptr<T[]> {
  explicit unique_ptr(T*); ~unique_ptr(); T* get() const; T& operator[](size_t) const;
};
template <class T> unique_ptr<T> make_unique(size_t);
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
