/* Atomic minimum and maximum of floating values, which not every device has. */

static inline float atomic_min_float(float *place, float value)
{
    int *bits = (int *)place;
    int old = atomicAdd(bits, 0);
    while (value < __int_as_float(old)) {
        const int seen = old;
        old = atomicCAS(bits, seen, __float_as_int(value));
        if (old == seen) {
            break;
        }
    }
    return __int_as_float(old);
}

static inline float atomic_max_float(float *place, float value)
{
    int *bits = (int *)place;
    int old = atomicAdd(bits, 0);
    while (value > __int_as_float(old)) {
        const int seen = old;
        old = atomicCAS(bits, seen, __float_as_int(value));
        if (old == seen) {
            break;
        }
    }
    return __int_as_float(old);
}

static inline double atomic_min_double(double *place, double value)
{
    unsigned long long *bits = (unsigned long long *)place;
    unsigned long long old = atomicAdd(bits, 0ull);
    while (value < __longlong_as_double(old)) {
        const unsigned long long seen = old;
        old = atomicCAS(bits, seen, (unsigned long long)__double_as_longlong(value));
        if (old == seen) {
            break;
        }
    }
    return __longlong_as_double(old);
}

static inline double atomic_max_double(double *place, double value)
{
    unsigned long long *bits = (unsigned long long *)place;
    unsigned long long old = atomicAdd(bits, 0ull);
    while (value > __longlong_as_double(old)) {
        const unsigned long long seen = old;
        old = atomicCAS(bits, seen, (unsigned long long)__double_as_longlong(value));
        if (old == seen) {
            break;
        }
    }
    return __longlong_as_double(old);
}
