/* Instruction forms: what the pass `tensorize` may put in the place of a loop of so many elements.
   The front end reads these bodies too, so a form means what its instructions mean. */

static inline void copy_16(float *d, const float *a)
{
    _mm512_storeu_ps(d, _mm512_loadu_ps(a));
}

static inline void fill_16(float *d, float a)
{
    _mm512_storeu_ps(d, _mm512_set1_ps(a));
}

static inline void add_16(float *d, const float *a, const float *b)
{
    _mm512_storeu_ps(d, _mm512_add_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void sub_16(float *d, const float *a, const float *b)
{
    _mm512_storeu_ps(d, _mm512_sub_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void mul_16(float *d, const float *a, const float *b)
{
    _mm512_storeu_ps(d, _mm512_mul_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void div_16(float *d, const float *a, const float *b)
{
    _mm512_storeu_ps(d, _mm512_div_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void shift_16(float *d, const float *a, float b)
{
    _mm512_storeu_ps(d, _mm512_add_ps(_mm512_loadu_ps(a), _mm512_set1_ps(b)));
}

static inline void lower_16(float *d, const float *a, float b)
{
    _mm512_storeu_ps(d, _mm512_sub_ps(_mm512_loadu_ps(a), _mm512_set1_ps(b)));
}

static inline void scale_16(float *d, const float *a, float b)
{
    _mm512_storeu_ps(d, _mm512_mul_ps(_mm512_loadu_ps(a), _mm512_set1_ps(b)));
}

static inline void divide_16(float *d, const float *a, float b)
{
    _mm512_storeu_ps(d, _mm512_div_ps(_mm512_loadu_ps(a), _mm512_set1_ps(b)));
}

static inline void max_16(float *d, const float *a, const float *b)
{
    _mm512_storeu_ps(d, _mm512_max_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void clip_below_16(float *d, const float *a, float b)
{
    _mm512_storeu_ps(d, _mm512_max_ps(_mm512_loadu_ps(a), _mm512_set1_ps(b)));
}

static inline void fma_16(float *d, const float *a, const float *b, const float *c)
{
    __m512 sum = _mm512_loadu_ps(c);
    _mm512_storeu_ps(d, _mm512_fmadd_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b), sum));
}

static inline void fma_scalar_16(float *d, float a, const float *b, const float *c)
{
    _mm512_storeu_ps(d, _mm512_fmadd_ps(_mm512_set1_ps(a), _mm512_loadu_ps(b), _mm512_loadu_ps(c)));
}

static inline void mul_add_16(float *d, const float *a, const float *b, const float *c)
{
    __m512 product = _mm512_mul_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b));
    _mm512_storeu_ps(d, _mm512_add_ps(_mm512_loadu_ps(c), product));
}

static inline void mul_add_scalar_16(float *d, float a, const float *b, const float *c)
{
    __m512 product = _mm512_mul_ps(_mm512_set1_ps(a), _mm512_loadu_ps(b));
    _mm512_storeu_ps(d, _mm512_add_ps(_mm512_loadu_ps(c), product));
}

static inline float sum_16(const float *a)
{
    return _mm512_reduce_add_ps(_mm512_loadu_ps(a));
}

static inline float dot_16(const float *a, const float *b)
{
    return _mm512_reduce_add_ps(_mm512_mul_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void add_int_16(int *d, const int *a, const int *b)
{
    _mm512_storeu_si512(d, _mm512_add_epi32(_mm512_loadu_si512(a), _mm512_loadu_si512(b)));
}

static inline void mul_int_16(int *d, const int *a, const int *b)
{
    _mm512_storeu_si512(d, _mm512_mullo_epi32(_mm512_loadu_si512(a), _mm512_loadu_si512(b)));
}

static inline void add_8(double *d, const double *a, const double *b)
{
    _mm512_storeu_pd(d, _mm512_add_pd(_mm512_loadu_pd(a), _mm512_loadu_pd(b)));
}

static inline void mul_8(double *d, const double *a, const double *b)
{
    _mm512_storeu_pd(d, _mm512_mul_pd(_mm512_loadu_pd(a), _mm512_loadu_pd(b)));
}
