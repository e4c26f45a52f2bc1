/* Small functions that BANG C has no word for; the back end copies those that a file uses. */

static inline float saturate(float x)
{
    return fminf(fmaxf(x, 0.0f), 1.0f);  /* NaN becomes 0 */
}

static inline float exp10_float(float x)
{
    return (float)pow(10.0, x);
}

static inline float sinpi_float(float x)
{
    return (float)sinpi_double(x);
}

static inline float cospi_float(float x)
{
    return (float)cospi_double(x);
}

static inline float erfinv_float(float x)
{
    return (float)erfinv(x);
}

static inline float normcdf_float(float x)
{
    return (float)normcdf(x);
}

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
    return a > b ? a : b;
}

static inline unsigned min_uint(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static inline unsigned max_uint(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static inline int64_t min_int64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_int64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t min_uint64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_uint64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Conversions that clamp to the range of the result; NaN becomes 0. */
static inline int saturate_to_int(double x)
{
    if (!(x > -2147483648.0)) {
        return x != x ? 0 : -2147483647 - 1;
    }
    return x < 2147483647.0 ? (int)x : 2147483647;
}

static inline unsigned saturate_to_uint(double x)
{
    if (!(x > 0.0)) {
        return 0;
    }
    return x < 4294967295.0 ? (unsigned)x : 4294967295u;
}

static inline int64_t saturate_to_int64(double x)
{
    if (!(x > -9223372036854775808.0)) {
        return x != x ? 0 : -9223372036854775807ll - 1;
    }
    return x < 9223372036854775808.0 ? (int64_t)x : 9223372036854775807ll;
}

static inline uint64_t saturate_to_uint64(double x)
{
    if (!(x > 0.0)) {
        return 0;
    }
    return x < 18446744073709551616.0 ? (uint64_t)x : 18446744073709551615ull;
}
