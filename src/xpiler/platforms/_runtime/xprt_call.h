// Calls a function of any type with values that a driver has in `argv`, each as the parameter wants it: a number becomes an
// enumerator, a pointer gets the parameter's pointee, a struct is made of its bytes. So nobody needs the names of the types,
// which may lie in a namespace or have no name that an outsider can say. Parameters of empty types (functors) get no value.
#ifndef XPRT_CALL_H
#define XPRT_CALL_H

namespace xprt {
namespace call {

template <class T> struct Bare { typedef T type; };
template <class T> struct Bare<const T> { typedef T type; };
template <class T> struct Bare<T&> { typedef typename Bare<T>::type type; };
template <class T> struct Bare<T&&> { typedef typename Bare<T>::type type; };

// An object of the bytes at `p`; its constructors are not asked, and `p` need not be aligned for it.
template <class T> XPRT_QUIET inline T made(const void* p) {
  struct Bytes { char all[sizeof(T)]; };
  alignas(T) char room[sizeof(T)];
  *(Bytes*)room = *(const Bytes*)p;
  return *(T*)room;
}

// ---- what a driver has: `give` makes it a value for a parameter of type P --------------------------------------------------
template <class T, int at> struct Number {
  template <class P> XPRT_QUIET static typename Bare<P>::type give(void** argv) {
    return (typename Bare<P>::type)*(T*)argv[at];
  }
};
template <int at> struct Buffer {
  template <class P> struct As;
  template <class T> struct As<T*> { XPRT_QUIET static T* from(void* p) { return (T*)p; } };
  template <class T> struct As<T* const> : As<T*> {};
  template <class T> struct As<T* const&> : As<T*> {};
  template <class T> struct As<T&> { XPRT_QUIET static T& from(void* p) { return *(T*)p; } };
  template <class P> XPRT_QUIET static auto give(void** argv) -> decltype(As<P>::from(nullptr)) {
    return As<P>::from(*(void**)argv[at]);
  }
};
template <int bytes, int at> struct Object {
  template <class P> XPRT_QUIET static typename Bare<P>::type give(void** argv) {
    static_assert(sizeof(typename Bare<P>::type) == bytes, "a struct of the entry has another layout");
    return made<typename Bare<P>::type>(argv[at]);
  }
};
struct Nothing {
  template <class P> XPRT_QUIET static typename Bare<P>::type give(void**) { return (typename Bare<P>::type)0; }
};
struct Empty {
  template <class P> XPRT_QUIET static typename Bare<P>::type give(void** argv) {
    return made<typename Bare<P>::type>(argv);
  }
};

// For an entry that only overload resolution finds: converts to whatever the one that is found takes.
template <class G> struct Any {
  void** argv;
  template <class P> XPRT_QUIET operator P() const { return G::template give<P>(argv); }
};

// ---- which of them is for which parameter ---------------------------------------------------------------------------------
template <class...> struct Types {};
template <int...> struct Numbers {};
template <int n, int... i> struct Count : Count<n - 1, n - 1, i...> {};
template <int... i> struct Count<0, i...> { typedef Numbers<i...> type; };
template <bool empty, int n, class... G> struct Nth { static_assert(!empty && n < 0, "too few values for the entry"); };
template <int n, class... G> struct Nth<true, n, G...> { typedef Empty type; };
template <class G, class... Rest> struct Nth<false, 0, G, Rest...> { typedef G type; };
template <int n, class G, class... Rest> struct Nth<false, n, G, Rest...> : Nth<false, n - 1, Rest...> {};

template <class... A> constexpr int taken(int parameters) {      // how many values the first parameters take
  const bool empty[] = {__is_empty(typename Bare<A>::type)..., false};
  int n = 0;
  for (int i = 0; i < parameters; ++i) n += !empty[i];
  return n;
}

template <class... G, class R, class... A, int... i>
XPRT_QUIET inline R apply(Types<G...>, Numbers<i...>, R (*f)(A...), void** argv) {
  static_assert(taken<A...>(sizeof...(A)) == sizeof...(G), "the entry takes another number of values");
  return f(Nth<__is_empty(typename Bare<A>::type), taken<A...>(i), G...>::type::template give<A>(argv)...);
}
template <class... G, class R, class... A> XPRT_QUIET inline R apply(Types<G...> given, R (*f)(A...), void** argv) {
  return apply(given, typename Count<sizeof...(A)>::type(), f, argv);
}

}  // namespace call
}  // namespace xprt

#endif
