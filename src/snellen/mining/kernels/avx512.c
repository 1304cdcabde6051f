/* AVX-512 with VNNI: Intel servers since 2019, AMD since 2022. */
#include "kernels.h"

#ifdef SNELLEN_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512dq,f16c,fma")))

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE __m512i four_of(const int8_t *row, int step) {
    int32_t four;
    __builtin_memcpy(&four, row + 4 * step, 4);
    return _mm512_set1_epi32(four);
}

/* vpdpbusd: four products of unsigned columns and signed rows at a time, added to int32: no saturation, no wrapping.
 * `height` rows at a time, so that each load of columns serves them all. */
INLINE void scan_rows(const int k, const int height, const int8_t *rows, const int32_t *bars, const __m512i *packed,
                      __m512i start0, __m512i start1, uint32_t *masks) {
    __m512i a0[4], a1[4];
    for (int n = 0; n < height; n++) a0[n] = start0, a1[n] = start1;
#pragma GCC unroll 16
    for (int step = 0; step < k / 4; step++) {
        const __m512i c0 = _mm512_loadu_si512(packed + step), c1 = _mm512_loadu_si512(packed + k / 4 + step);
        for (int n = 0; n < height; n++) {
            const __m512i q = four_of(rows + n * k, step);
            a0[n] = _mm512_dpbusd_epi32(a0[n], c0, q);
            a1[n] = _mm512_dpbusd_epi32(a1[n], c1, q);
        }
    }
    for (int n = 0; n < height; n++) {
        const __m512i bar = _mm512_set1_epi32(bars[n]);
        masks[n] = (uint32_t)_mm512_cmpge_epi32_mask(a0[n], bar) | (uint32_t)_mm512_cmpge_epi32_mask(a1[n], bar) << 16;
    }
}

INLINE void scan_k(const int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                   const int32_t *column_bars, uint32_t *masks) {
    const __m512i *packed = (const __m512i *)columns; /* [2][k / 4][16 columns][4] */
    const __m512i start0 = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(column_bars));
    const __m512i start1 = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(column_bars + 16));
    int64_t r = 0;
    for (; r + 4 <= count; r += 4) scan_rows(k, 4, rows + r * k, bars + r, packed, start0, start1, masks + r);
    for (; r < count; r++) scan_rows(k, 1, rows + r * k, bars + r, packed, start0, start1, masks + r);
}

TARGET static void scan(int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                        const int32_t *column_bars, uint32_t *masks) {
    WITH_KNOWN_LENGTH(k, scan_k, count, rows, bars, columns, column_bars, masks)
}

TARGET static int32_t fine(int k, const int8_t *x, const int8_t *y) {
    __m512i s0 = _mm512_setzero_si512(), s1 = _mm512_setzero_si512();
    for (int d = 0; d < k; d += 64) {
        const __m512i x0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(x + d)));
        const __m512i y0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(y + d)));
        const __m512i x1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(x + d + 32)));
        const __m512i y1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(y + d + 32)));
        s0 = _mm512_dpwssd_epi32(s0, x0, y0);
        s1 = _mm512_dpwssd_epi32(s1, x1, y1);
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

TARGET static double dot(int64_t dim, const uint16_t *x, const uint16_t *y) {
    __m512d s0 = _mm512_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
    int64_t d = 0;
    for (; d + 32 <= dim; d += 32) {
        const __m512 x0 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + d)));
        const __m512 y0 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(y + d)));
        const __m512 x1 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + d + 16)));
        const __m512 y1 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(y + d + 16)));
        s0 = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(x0)),
                             _mm512_cvtps_pd(_mm512_castps512_ps256(y0)), s0);
        s1 = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_extractf32x8_ps(x0, 1)),
                             _mm512_cvtps_pd(_mm512_extractf32x8_ps(y0, 1)), s1);
        s2 = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(x1)),
                             _mm512_cvtps_pd(_mm512_castps512_ps256(y1)), s2);
        s3 = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_extractf32x8_ps(x1, 1)),
                             _mm512_cvtps_pd(_mm512_extractf32x8_ps(y1, 1)), s3);
    }
    double sum = _mm512_reduce_add_pd(_mm512_add_pd(_mm512_add_pd(s0, s1), _mm512_add_pd(s2, s3)));
    for (; d < dim; d++) sum += (double)_cvtsh_ss(x[d]) * (double)_cvtsh_ss(y[d]);
    return sum;
}

TARGET static void widen(int64_t count, const uint16_t *half, float *out) {
    int64_t n = 0;
    for (; n + 16 <= count; n += 16) {
        _mm512_storeu_ps(out + n, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(half + n))));
    }
    for (; n < count; n++) out[n] = _cvtsh_ss(half[n]);
}

const kernel kernel_avx512 = {"AVX-512 VNNI", 4, 127, 128, 0, scan, fine, dot, widen};
#endif
