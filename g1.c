#include <stdlib.h>
int f(const double *a, double *x, int batch, int n)
{
    int failed = -1;
    double *L = NULL, *z = NULL;
    if (batch < 0 || n <= 0)
        goto done;
    failed = -2;
    L = malloc((size_t)n * sizeof *L);
    if (!L)
        goto done;
    failed = 0;
    for (int b = 0; b < batch; b++) x[b] = a[b];
done:
    free(L);
    return failed;
}
