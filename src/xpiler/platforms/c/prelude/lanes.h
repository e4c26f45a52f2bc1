/* Masks and loads of vector code that have no intrinsic of their own. */

static inline __mmask16 first_lanes(int64_t n)
{
    return n >= 16 ? 0xFFFF : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

static inline __mmask8 first_lanes_of_8(int64_t n)
{
    return n >= 8 ? 0xFF : n <= 0 ? 0 : (__mmask8)((1u << n) - 1);
}

static inline __m512i count_from(int first)
{
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_add_epi32(_mm512_set1_epi32(first), lanes);
}

static inline __m512i load_chars(__mmask16 lanes, const int8_t *p)
{
    return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, p));
}

static inline __m512i load_uchars(__mmask16 lanes, const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, p));
}

static inline __m512i load_shorts(__mmask16 lanes, const int16_t *p)
{
    return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(lanes, p));
}

static inline __m512i load_ushorts(__mmask16 lanes, const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, p));
}

static inline __m512 load_halves(__mmask16 lanes, const _Float16 *p)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, p));
}

static inline void store_halves(_Float16 *p, __mmask16 lanes, __m512 x)
{
    _mm256_mask_storeu_epi16(p, lanes, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

static inline __m512i load_64_bytes(int64_t n, const void *p)
{
    return _mm512_maskz_loadu_epi8(n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1, p);
}

static inline __m512i load_32_shorts(int64_t n, const int16_t *p)
{
    return _mm512_maskz_loadu_epi16(n >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << n) - 1, p);
}

static inline __m512i load_32_chars(int64_t n, const int8_t *p)
{
    __mmask32 lanes = n >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << n) - 1;
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(lanes, p));
}

static inline __m512 max_numbers(__m512 a, __m512 b)
{
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), a);
}

static inline __m512 min_numbers(__m512 a, __m512 b)
{
    return _mm512_mask_mov_ps(_mm512_min_ps(a, b), _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), a);
}

/* e^x = 2^k e^r with |r| <= ln 2 / 2; the polynomial's error is below one unit in the last place. */
static inline __m512 exp_lanes(__m512 x)
{
    x = _mm512_max_ps(_mm512_set1_ps(-104.0f), _mm512_min_ps(_mm512_set1_ps(89.0f), x));
    __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 8);
    __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693145752f), x);
    r = _mm512_fnmadd_ps(k, _mm512_set1_ps(1.42860677e-6f), r);
    __m512 p = _mm512_set1_ps(1.98412698e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.38888889e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.33333333e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.16666667e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.66666667e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
    return _mm512_scalef_ps(_mm512_add_ps(p, _mm512_set1_ps(1.0f)), k);
}

/* The instruction takes one operand without a sign: a + 128, and 128 b is taken off again. */
static inline __m512i dp4a_lanes(__m512i a, __m512i b, __m512i c)
{
    const __m512i high = _mm512_set1_epi32((int)0x80808080u);
    __m512i more = _mm512_dpbusd_epi32(_mm512_setzero_si512(), high, b);
    return _mm512_sub_epi32(_mm512_dpbusd_epi32(c, _mm512_xor_si512(a, high), b), more);
}

/* 2^x = 2^k e^r with r = (x - k) ln 2, |r| <= ln 2 / 2; the same polynomial as e^x. */
static inline __m512 exp2_lanes(__m512 x)
{
    x = _mm512_max_ps(_mm512_set1_ps(-151.0f), _mm512_min_ps(_mm512_set1_ps(129.0f), x));
    __m512 k = _mm512_roundscale_ps(x, 8);
    __m512 r = _mm512_mul_ps(_mm512_sub_ps(x, k), _mm512_set1_ps(0.693147182f));
    __m512 p = _mm512_set1_ps(1.98412698e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.38888889e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.33333333e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.16666667e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.66666667e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
    return _mm512_scalef_ps(_mm512_add_ps(p, _mm512_set1_ps(1.0f)), k);
}

/* Near zero x + x P(x^2), else 1 - 2 / (e^2|x| + 1) with the sign of x; within three units in the last place. */
static inline __m512 tanh_lanes(__m512 x)
{
    __m512 t = _mm512_abs_ps(x), s = _mm512_mul_ps(x, x);
    __m512 p = _mm512_set1_ps(1.55046243e-2f);
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-5.21225356e-2f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.133106485f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-0.333323443f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-6.92536369e-8f));
    __m512 one = _mm512_set1_ps(1.0f);
    __m512 e = _mm512_add_ps(exp_lanes(_mm512_add_ps(t, t)), one);
    __m512 far = _mm512_sub_ps(one, _mm512_div_ps(_mm512_set1_ps(2.0f), e));
    __mmask16 near = _mm512_cmp_ps_mask(t, _mm512_set1_ps(0.6f), _CMP_NGE_UQ);
    far = _mm512_mask_mov_ps(far, near, _mm512_fmadd_ps(x, p, x));
    return _mm512_or_ps(far, _mm512_and_ps(x, _mm512_set1_ps(-0.0f)));
}

/* Near zero x + x P(x^2), else 1 - e^(t Q(t)) with t = |x| and the sign of x; within two units in the last place. */
static inline __m512 erf_lanes(__m512 x)
{
    __m512 t = _mm512_min_ps(_mm512_set1_ps(4.0f), _mm512_abs_ps(x)), s = _mm512_mul_ps(x, x);
    __m512 p = _mm512_set1_ps(-5.87637885e-4f);
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(4.97043459e-3f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-2.67509427e-2f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.112813801f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-0.376124531f));
    p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.128379136f));
    __m512 q = _mm512_set1_ps(-1.15404673e-5f);
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(3.25900852e-4f));
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(-3.65506276e-3f));
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(2.37887464e-2f));
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(-0.106267892f));
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(-0.635132551f));
    q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(-1.12865317f));
    __m512 far = _mm512_sub_ps(_mm512_set1_ps(1.0f), exp_lanes(_mm512_mul_ps(q, t)));
    far = _mm512_or_ps(far, _mm512_and_ps(x, _mm512_set1_ps(-0.0f)));
    __mmask16 near = _mm512_cmp_ps_mask(t, _mm512_set1_ps(0.9375f), _CMP_NGE_UQ);
    return _mm512_mask_mov_ps(far, near, _mm512_fmadd_ps(x, p, x));
}

/* log(2^k (1 + f)) = k ln 2 + f - f^2 / 2 + f^3 P(f), -1/4 <= f < 1/2; within two units in the last place. */
static inline __m512 log_lanes(__m512 x)
{
    __m512 m = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
    __m512 k = _mm512_sub_ps(_mm512_getexp_ps(x), _mm512_getexp_ps(m));
    __m512 f = _mm512_sub_ps(m, _mm512_set1_ps(1.0f)), s = _mm512_mul_ps(f, f);
    __m512 p = _mm512_set1_ps(3.73564947e-2f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(-8.49560033e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.111792259f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(-0.126820619f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.143278848f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(-0.166630827f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.199982644f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(-0.250000046f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.333333431f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(p, s), f, _mm512_mul_ps(s, _mm512_set1_ps(-0.5f)));
    p = _mm512_fmadd_ps(k, _mm512_set1_ps(-2.12194440e-4f), p);
    p = _mm512_fmadd_ps(k, _mm512_set1_ps(0.693359375f), _mm512_add_ps(p, f));
    __mmask16 same = _mm512_cmp_ps_mask(x, _mm512_set1_ps(INFINITY), _CMP_EQ_OQ);
    __mmask16 none = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_EQ_OQ);
    return _mm512_mask_mov_ps(_mm512_mask_mov_ps(p, same, x), none, _mm512_set1_ps(-INFINITY));
}
