/* Small functions that C has no word for; the back end copies those that a file uses. */

typedef struct { uint16_t bits; } bf16;  /* the upper half of a float */

static inline float bf16_to_float(bf16 x)
{
    union { uint32_t bits; float value; } whole = {(uint32_t)x.bits << 16};
    return whole.value;
}

static inline bf16 bf16_from_float(float x)
{
    union { float value; uint32_t bits; } whole = {x};
    uint32_t bits = whole.bits;
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return (bf16){0x7fff};  /* NaN */
    }
    bits += 0x7fff + ((bits >> 16) & 1);  /* to nearest, ties to even */
    return (bf16){(uint16_t)(bits >> 16)};
}

static inline bf16 fma_bf16(bf16 a, bf16 b, bf16 c)
{
    double product = (double)bf16_to_float(a) * bf16_to_float(b);
    double addend = bf16_to_float(c);
    double sum = product + addend;
    double back = sum - product;
    double lost = (product - (sum - back)) + (addend - back);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if (lost != 0 && (bits & 1) == 0) {  /* round to odd, so that rounding again is exact */
        bits += (lost > 0) == (sum > 0) ? 1 : -1;
        memcpy(&sum, &bits, sizeof sum);
    }
    float narrow = (float)sum;
    uint32_t word;
    memcpy(&word, &narrow, sizeof word);
    if (narrow != sum && isfinite(sum) && (word & 1) == 0) {
        word += ((narrow < sum) == (narrow >= 0)) ? 1 : -1;
        memcpy(&narrow, &word, sizeof narrow);
    }
    return bf16_from_float(narrow);
}

static inline float saturate(float x)
{
    return fminf(fmaxf(x, 0.0f), 1.0f);  /* NaN becomes 0 */
}

static inline float exp10_float(float x)
{
    return (float)pow(10.0, x);
}

static inline double sinpi_double(double x)
{
    double r = fmod(x, 2.0);
    return r == trunc(r) ? copysign(0.0, x) : sin(3.14159265358979323846 * r);
}

static inline float sinpi_float(float x)
{
    return (float)sinpi_double(x);
}

static inline double cospi_double(double x)
{
    double r = fmod(fabs(x), 2.0);
    return r == 0.5 || r == 1.5 ? 0.0 : cos(3.14159265358979323846 * r);
}

static inline float cospi_float(float x)
{
    return (float)cospi_double(x);
}

/* The inverse of erf: a rough start, then Newton's method on erfc, which keeps the tails exact. */
static inline double erfinv(double x)
{
    double a = fabs(x);
    if (!(a < 1.0)) {
        return a == 1.0 ? copysign(INFINITY, x) : NAN;
    }
    double l = log1p(-a * a);
    double h = 2.0 / (3.14159265358979323846 * 0.147) + 0.5 * l;
    double y = sqrt(sqrt(h * h - l / 0.147) - h);
    for (int i = 0; i < 4; i++) {
        double slope = 1.1283791670955126 * exp(-y * y);
        y -= (a < 0.5 ? erf(y) - a : (1.0 - a) - erfc(y)) / slope;
    }
    return copysign(y, x);
}

static inline float erfinv_float(float x)
{
    return (float)erfinv(x);
}

static inline double normcdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
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
        return isnan(x) ? 0 : INT32_MIN;
    }
    return x < 2147483647.0 ? (int)x : INT32_MAX;
}

static inline unsigned saturate_to_uint(double x)
{
    if (!(x > 0.0)) {
        return 0;
    }
    return x < 4294967295.0 ? (unsigned)x : UINT32_MAX;
}

static inline int64_t saturate_to_int64(double x)
{
    if (!(x > -9223372036854775808.0)) {
        return isnan(x) ? 0 : INT64_MIN;
    }
    return x < 9223372036854775808.0 ? (int64_t)x : INT64_MAX;
}

static inline uint64_t saturate_to_uint64(double x)
{
    if (!(x > 0.0)) {
        return 0;
    }
    return x < 18446744073709551616.0 ? (uint64_t)x : UINT64_MAX;
}
