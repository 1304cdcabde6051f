/* Plain C, for every machine: written so that compilers turn the loops into vector instructions. */
#include "kernels.h"

#include <string.h>

static void scan(int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                 const int32_t *column_bars, uint32_t *masks) {
    /* int16 arithmetic modulo 2^16, as uint16_t, where wrapping is defined. */
    int16_t values[128 * GROUP];
    for (int n = 0; n < k * GROUP; n++) values[n] = (int8_t)columns[n];
    uint16_t start[GROUP];
    for (int c = 0; c < GROUP; c++) start[c] = (uint16_t)-column_bars[c];
    for (int64_t r = 0; r < count; r++) {
        const int8_t *row = rows + r * k;
        uint16_t sums[GROUP];
        for (int c = 0; c < GROUP; c++) sums[c] = (uint16_t)(start[c] - (uint16_t)bars[r]);
        for (int d = 0; d < k; d++) {
            const int16_t *column = values + d * GROUP;
            const int16_t q = row[d];
            for (int c = 0; c < GROUP; c++) sums[c] = (uint16_t)(sums[c] + (uint16_t)(q * column[c]));
        }
        uint16_t below = 0x8000;
        for (int c = 0; c < GROUP; c++) below &= sums[c];
        uint32_t mask = 0;
        if (!below) {
            for (int c = 0; c < GROUP; c++) mask |= (uint32_t)(~sums[c] >> 15 & 1) << c;
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
    /* The exponent is moved by multiplying with 2^112: exact, for subnormal numbers too. Rows are finite. */
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value;
    memcpy(&value, &bits, 4);
    value *= 5192296858534827628530496329220096.0f;
    memcpy(&bits, &value, 4);
    bits |= (uint32_t)(half & 0x8000) << 16;
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
