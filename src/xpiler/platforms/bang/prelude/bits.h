/* Functions on bits; the back end copies those that a file uses. */

static inline int popcount(unsigned x)
{
    return __builtin_popcount(x);
}

static inline int popcount64(uint64_t x)
{
    return __builtin_popcountll(x);
}

static inline int clz(unsigned x)
{
    return x == 0 ? 32 : __builtin_clz(x);
}

static inline int clz64(uint64_t x)
{
    return x == 0 ? 64 : __builtin_clzll(x);
}

/* One plus the position of the lowest set bit, or 0. */
static inline int ffs_int(int x)
{
    return __builtin_ffs(x);
}

static inline int ffs_int64(int64_t x)
{
    return __builtin_ffsll(x);
}

static inline unsigned bit_reverse(unsigned x)
{
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(x);
}

static inline uint64_t bit_reverse64(uint64_t x)
{
    return (uint64_t)bit_reverse((unsigned)x) << 32 | bit_reverse((unsigned)(x >> 32));
}

static inline int mulhi_int(int a, int b)
{
    return (int)((int64_t)a * b >> 32);
}

static inline unsigned mulhi_uint(unsigned a, unsigned b)
{
    return (unsigned)((uint64_t)a * b >> 32);
}

static inline uint64_t mulhi_uint64(uint64_t a, uint64_t b)
{
    uint64_t low = (a & 0xffffffffu) * (b & 0xffffffffu);
    uint64_t mid = (a >> 32) * (b & 0xffffffffu) + (low >> 32);
    uint64_t mid2 = (a & 0xffffffffu) * (b >> 32) + (mid & 0xffffffffu);
    return (a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32);
}

static inline int64_t mulhi_int64(int64_t a, int64_t b)
{
    uint64_t high = mulhi_uint64((uint64_t)a, (uint64_t)b);
    return (int64_t)(high - (a < 0 ? (uint64_t)b : 0) - (b < 0 ? (uint64_t)a : 0));
}

/* Four bytes picked out of the eight of b:a; bit 3 of a selector replicates the byte's sign. */
static inline unsigned byte_perm(unsigned a, unsigned b, unsigned selector)
{
    uint64_t bytes = (uint64_t)b << 32 | a;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) {
        unsigned s = selector >> (4 * i) & 15;
        unsigned byte = (unsigned)(bytes >> (8 * (s & 7))) & 255;
        if (s & 8) {
            byte = byte & 128 ? 255 : 0;
        }
        result |= byte << (8 * i);
    }
    return result;
}

static inline unsigned funnel_shift_left(unsigned low, unsigned high, unsigned shift)
{
    uint64_t both = (uint64_t)high << 32 | low;
    return (unsigned)(both << (shift & 31) >> 32);
}

static inline unsigned funnel_shift_right(unsigned low, unsigned high, unsigned shift)
{
    uint64_t both = (uint64_t)high << 32 | low;
    return (unsigned)(both >> (shift & 31));
}

static inline unsigned rotate_left(unsigned x, unsigned shift)
{
    return x << (shift & 31) | x >> (-shift & 31);
}

/* The sum of the four products of signed bytes, added to c. */
static inline int dp4a_int(int a, int b, int c)
{
    for (int i = 0; i < 32; i += 8) {
        c += (int8_t)(a >> i) * (int8_t)(b >> i);
    }
    return c;
}

static inline unsigned dp4a_uint(unsigned a, unsigned b, unsigned c)
{
    for (int i = 0; i < 32; i += 8) {
        c += (a >> i & 255) * (b >> i & 255);
    }
    return c;
}

static inline unsigned sad_int(int a, int b, unsigned c)
{
    return (a > b ? (unsigned)a - (unsigned)b : (unsigned)b - (unsigned)a) + c;
}

static inline unsigned sad_uint(unsigned a, unsigned b, unsigned c)
{
    return (a > b ? a - b : b - a) + c;
}
