/* What CUDA C++ has no word for; the back end copies those that a file uses. */

/* The index of this thread in its warp. */
static inline int lane_id()
{
    int lane;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    return lane;
}
