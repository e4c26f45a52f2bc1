#define XP_WMMA_BF16 1
