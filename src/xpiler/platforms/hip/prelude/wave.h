/* Reductions over a wave, for every lane. */

template <class T>
static inline T wave_reduce_add(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = v + other;
    }
    return v;
}

template <class T>
static inline T wave_reduce_min(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = other < v ? other : v;
    }
    return v;
}

template <class T>
static inline T wave_reduce_max(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = v < other ? other : v;
    }
    return v;
}

template <class T>
static inline T wave_reduce_and(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = v & other;
    }
    return v;
}

template <class T>
static inline T wave_reduce_or(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = v | other;
    }
    return v;
}

template <class T>
static inline T wave_reduce_xor(T v)
{
    for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) {
        const T other = __shfl_xor(v, lanes);
        v = v ^ other;
    }
    return v;
}
