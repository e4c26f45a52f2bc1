/* Products of matrices: blocks that fit the caches, packed into panels, multiplied in registers. */

/* Rows of x, `group` at a time: a group's numbers for one step lie side by side, zeros beyond. */
static inline void pack_panel(float *to, int64_t group, const float *x, int64_t row, int64_t step,
                              int64_t rows, int64_t steps)
{
    for (int64_t i = 0; i < rows; i += group, to += group * steps, x += group * row) {
        int64_t whole = rows - i < group ? rows - i : group;
        for (int64_t k = 0; row == 1 && k < steps; k++) {
            memcpy(&to[k * group], &x[k * step], whole * sizeof(float));
        }
        for (int64_t g = 0; row != 1 && g < whole; g++) {
            for (int64_t k = 0; k < steps; k++) {
                to[k * group + g] = x[g * row + k * step];
            }
        }
        for (int64_t g = whole; g < group; g++) {
            for (int64_t k = 0; k < steps; k++) {
                to[k * group + g] = 0.0f;
            }
        }
    }
}

/* c (+)= a b for 8 packed rows of a and 16 * width packed columns of b; only what exists is stored. */
static inline __attribute__((always_inline)) void product_tile(int width, int64_t steps,
                                                               const float *a, const float *b,
                                                               float *c, int64_t row, int64_t rows,
                                                               int64_t columns, bool first)
{
    __m512 sum[8][3];
    for (int i = 0; i < 8; i++) {
        sum[i][0] = sum[i][1] = sum[i][2] = _mm512_setzero_ps();
    }
    for (int64_t k = 0; k < steps; k++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            __m512 x = _mm512_set1_ps(a[k * 8 + i]);
#pragma GCC unroll 3
            for (int j = 0; j < width; j++) {
                sum[i][j] = _mm512_fmadd_ps(x, _mm512_loadu_ps(&b[k * 48 + j * 16]), sum[i][j]);
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
#pragma GCC unroll 3
        for (int j = 0; j < width; j++) {
            __mmask16 live = i < rows ? first_lanes(columns - j * 16) : 0;
            float *at = &c[i * row + j * 16];
            __mmask16 old = first ? 0 : live;
            _mm512_mask_storeu_ps(at, live, _mm512_add_ps(sum[i][j], _mm512_maskz_loadu_ps(old, at)));
        }
    }
}

/* The tiles of a panel of up to 96 rows of a and one of `columns` columns of b. */
static inline void product_panels(int64_t rows, int64_t columns, int64_t steps, const float *a,
                                  const float *b, float *c, int64_t row, bool first)
{
    for (int64_t j = 0; j < columns; j += 48) {
        for (int64_t i = 0; i < rows; i += 8) {
            const float *x = &a[i * steps], *y = &b[j * steps];
            int64_t height = rows - i, width = columns - j;
            if (width > 32) {
                product_tile(3, steps, x, y, &c[i * row + j], row, height, width, first);
            } else if (width > 16) {
                product_tile(2, steps, x, y, &c[i * row + j], row, height, width, first);
            } else {
                product_tile(1, steps, x, y, &c[i * row + j], row, height, width, first);
            }
        }
    }
}

/* c[i * c_row + j] = sum over k < depth of a[i * a_row + k * a_step] * b[k * b_step + j * b_column]
 * for m rows and n columns. Panels of 256 steps: 1536 columns of b, 96 rows of a in the caches. */
static inline void matrix_product(int64_t m, int64_t n, int64_t depth, const float *a, int64_t a_row,
                                  int64_t a_step, const float *b, int64_t b_step, int64_t b_column,
                                  float *c, int64_t c_row)
{
    int64_t across = n < 1536 ? (n + 47) / 48 * 48 : 1536;
    float *panel = malloc(across * 256 * sizeof(float));
    for (int64_t jc = 0; jc < n; jc += 1536) {
        int64_t columns = n - jc < 1536 ? n - jc : 1536;
        for (int64_t kc = 0; kc == 0 || kc < depth; kc += 256) {
            int64_t steps = depth - kc < 256 ? (depth > kc ? depth - kc : 0) : 256;
            #pragma omp parallel for
            for (int64_t j = 0; j < columns; j += 48) {
                const float *from = &b[kc * b_step + (jc + j) * b_column];
                int64_t width = columns - j < 48 ? columns - j : 48;
                pack_panel(&panel[j * steps], 48, from, b_column, b_step, width, steps);
            }
            #pragma omp parallel for
            for (int64_t ic = 0; ic < m; ic += 96) {
                float rows_of_a[96 * 256];
                int64_t rows = m - ic < 96 ? m - ic : 96;
                pack_panel(rows_of_a, 8, &a[ic * a_row + kc * a_step], a_row, a_step, rows, steps);
                product_panels(rows, columns, steps, rows_of_a, panel, &c[ic * c_row + jc], c_row,
                               kc == 0);
            }
        }
    }
    free(panel);
}
