/* What the kernels of one instruction set offer, and what they are given.
 *
 * A sketch of a row is a few small integers q and a threshold t. A pair (i, j) is kept where q_i . q_j >= t_i + t_j;
 * snellen/mining/filters/sketch.py says why no pair above the blind minimum is then lost. There are two sketches: a short one,
 * `coarse`, that every pair meets, and a longer one, `fine`, for the pairs that it keeps.
 */
#ifndef SNELLEN_KERNELS_H
#define SNELLEN_KERNELS_H

#include <stdint.h>

#define GROUP 32      /* columns that are scanned at once; the packed columns are a whole number of groups */
#define MOST_ROWS 1024 /* rows that one call of a scan may have: their hit masks are kept on the stack */

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__))
#define SNELLEN_X86 1
#endif

/* One group of GROUP columns against some rows, by the coarse sketch.
 *
 * k: numbers in a coarse sketch, a multiple of 8.
 * rows: int8 [count][k]. bars: int32 [count], what a row adds to the threshold.
 * columns: uint8 or int8, packed as the kernel wants it. column_bars: int32 [GROUP].
 * masks: out, uint32 [count]: bit c is set where the row and column c may pass.
 */
typedef void (*scan_fn)(int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                        const int32_t *column_bars, uint32_t *masks);

/* Sum of products of two fine sketches: k a multiple of 64, |result| < 2^31. */
typedef int32_t (*fine_fn)(int k, const int8_t *x, const int8_t *y);

/* Dot product of two float16 rows in float64; exact for rows of length up to 1.02 (snellen/mining/join/exact.py). */
typedef double (*dot_fn)(int64_t dim, const uint16_t *x, const uint16_t *y);

/* float16 to float32, exactly. */
typedef void (*widen_fn)(int64_t count, const uint16_t *half, float *out);

/* Calls scan with k as a constant where it is a usual length, so that the compiler unrolls its loops. */
#define WITH_KNOWN_LENGTH(k, scan, ...) \
    switch (k) { \
    case 16: scan(16, __VA_ARGS__); break; \
    case 24: scan(24, __VA_ARGS__); break; \
    case 32: scan(32, __VA_ARGS__); break; \
    case 48: scan(48, __VA_ARGS__); break; \
    case 64: scan(64, __VA_ARGS__); break; \
    default: scan(k, __VA_ARGS__); \
    }

typedef struct {
    const char *name;
    int interleave; /* numbers of one column that lie side by side in a packed group */
    int levels;     /* sketches hold integers from -levels to levels */
    int offset;     /* packed columns hold q + offset */
    int wraps;      /* whether sums are int16, modulo 2^16 */
    scan_fn scan;
    fine_fn fine;
    dot_fn dot;
    widen_fn widen;
} kernel;

extern const kernel kernel_portable;
#ifdef SNELLEN_X86
extern const kernel kernel_avx2;
extern const kernel kernel_avx512;
#endif

#endif
