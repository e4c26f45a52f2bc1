/* Functions on memory; the back end copies those that a file uses. */

/* `height` rows of `width` bytes between buffers whose rows are a pitch apart. */
static inline void copy_rows(void *to, size_t to_pitch, const void *from, size_t from_pitch,
                             size_t width, size_t height)
{
    for (size_t row = 0; row < height; row++) {
        memcpy((char *)to + row * to_pitch, (const char *)from + row * from_pitch, width);
    }
}
