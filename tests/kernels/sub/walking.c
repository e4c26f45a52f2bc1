/* Pointer style. */
void difference(const double *x, const double *y, double *z, long n)
{
    const double *end = x + n;
    while (x != end)
        *z++ = *x++ - *y++;
}
