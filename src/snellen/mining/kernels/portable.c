/* Plain C, for every machine: written so that compilers turn the loops into vector instructions. */
#include "kernels.h"

#include <string.h>

/* int16 arithmetic modulo 2^16, as uint16_t, where wrapping is defined, on eight columns at a time: GCC and Clang have
 * vectors for that on every machine. */
#define LANES 8
#define PARTS (GROUP / LANES)
#if defined(__GNUC__) || defined(__clang__)
typedef uint16_t lanes __attribute__((vector_size(2 * LANES)));
#define ADD_PRODUCT(sum, q, column) ((sum) += (q) * (column))
#else
typedef struct { uint16_t lane[LANES]; } lanes;
#define ADD_PRODUCT(sum, q, column) \
    for (int c = 0; c < LANES; c++) (sum).lane[c] = (uint16_t)((sum).lane[c] + (uint32_t)(q) * (column).lane[c])
#endif

static void scan(int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                 const int32_t *column_bars, uint32_t *masks) {
    lanes values[128 * PARTS], start[PARTS], sums[PARTS];
    uint16_t lane[GROUP];
    for (int d = 0; d < k; d++) {
        for (int c = 0; c < GROUP; c++) lane[c] = (uint16_t)(int8_t)columns[d * GROUP + c];
        memcpy(values + d * PARTS, lane, sizeof lane);
    }
    for (int c = 0; c < GROUP; c++) lane[c] = (uint16_t)(0u - (uint32_t)column_bars[c]);
    memcpy(start, lane, sizeof lane);
    for (int64_t r = 0; r < count; r++) {
        const int8_t *row = rows + r * k;
        lanes s0 = start[0], s1 = start[1], s2 = start[2], s3 = start[3];
        for (int d = 0; d < k; d++) {
            const uint16_t q = (uint16_t)row[d];
            const lanes *column = values + d * PARTS;
            ADD_PRODUCT(s0, q, column[0]);
            ADD_PRODUCT(s1, q, column[1]);
            ADD_PRODUCT(s2, q, column[2]);
            ADD_PRODUCT(s3, q, column[3]);
        }
        sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
        memcpy(lane, sums, sizeof lane);
        const uint16_t bar = (uint16_t)bars[r];
        uint16_t below = 0x8000;
        for (int c = 0; c < GROUP; c++) below &= (uint16_t)(lane[c] - bar);
        uint32_t mask = 0;
        if (!below) {
            for (int c = 0; c < GROUP; c++) mask |= (uint32_t)((uint16_t)(lane[c] - bar) < 0x8000) << c;
        }
        masks[r] = mask;
    }
}

static int32_t fine(int k, const int8_t *x, const int8_t *y) {
    int32_t sum = 0;
    for (int d = 0; d < k; d++) sum += (int32_t)x[d] * y[d];
    return sum;
}

static inline float widened(uint16_t half) {
    /* The exponent's bias grows by 112, and again for infinity. A subnormal number m 2^-24 is read as 2^-14 + m 2^-24,
     * from which 2^-14 is taken: exact, and without subnormal float32, which a program may have turned off. */
    const int32_t size = half & 0x7fff, subnormal = -(size < 0x400), infinite = -(size > 0x7bff);
    int32_t bits = (size << 13) + (112 << 23) + (subnormal & 1 << 23) + (infinite & 112 << 23);
    const int32_t taken_bits = subnormal & 113 << 23;
    float value, taken;
    memcpy(&value, &bits, 4);
    memcpy(&taken, &taken_bits, 4);
    value -= taken;
    memcpy(&bits, &value, 4);
    bits |= (int32_t)((uint32_t)(half & 0x8000) << 16);
    memcpy(&value, &bits, 4);
    return value;
}

static double dot(int64_t dim, const uint16_t *x, const uint16_t *y) {
    double sums[8] = {0};
    int64_t d = 0;
    for (; d + 8 <= dim; d += 8) {
        for (int n = 0; n < 8; n++) sums[n] += (double)widened(x[d + n]) * (double)widened(y[d + n]);
    }
    for (; d < dim; d++) sums[0] += (double)widened(x[d]) * (double)widened(y[d]);
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static void widen(int64_t count, const uint16_t *half, float *out) {
    for (int64_t n = 0; n < count; n++) out[n] = widened(half[n]);
}

const kernel kernel_portable = {"portable C", 1, 63, 0, 1, scan, fine, dot, widen};
