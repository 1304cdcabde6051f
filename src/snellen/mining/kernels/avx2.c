/* AVX2, FMA and F16C: Intel since 2013, AMD since 2015. */
#include "kernels.h"

#ifdef SNELLEN_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))

#define INLINE TARGET static inline __attribute__((always_inline))

/* Keeps the compiler from adding up in another order, for which there are too few registers. */
#define IN_THIS_ORDER(sum) __asm__("" : "+x"(sum))

INLINE __m256i two_of(const int8_t *row, int step) {
    int16_t two;
    __builtin_memcpy(&two, row + 2 * step, 2);
    return _mm256_set1_epi16(two);
}

/* vpmaddubsw: products of unsigned columns and signed rows, two and two added to int16. At most 2 x 127 x 63 < 2^15, so
 * it never saturates; sums then wrap modulo 2^16. `height` rows at a time, so that each load of columns serves them all. */
INLINE void scan_rows(const int k, const int height, const int8_t *rows, const int32_t *bars, const __m256i *packed,
                      __m256i start0, __m256i start1, uint32_t *masks) {
    __m256i a0[4], a1[4];
    for (int n = 0; n < height; n++) {
        const __m256i bar = _mm256_set1_epi16((int16_t)bars[n]);
        a0[n] = _mm256_sub_epi16(start0, bar);
        a1[n] = _mm256_sub_epi16(start1, bar);
    }
    for (int step = 0; step < k / 2; step++) {
        const __m256i c0 = _mm256_loadu_si256(packed + step), c1 = _mm256_loadu_si256(packed + k / 2 + step);
        for (int n = 0; n < height; n++) {
            const __m256i q = two_of(rows + n * k, step);
            a0[n] = _mm256_add_epi16(a0[n], _mm256_maddubs_epi16(c0, q));
            a1[n] = _mm256_add_epi16(a1[n], _mm256_maddubs_epi16(c1, q));
            IN_THIS_ORDER(a0[n]);
            IN_THIS_ORDER(a1[n]);
        }
    }
    for (int n = 0; n < height; n++) {
        /* Sign bits of 32 int16: packing saturates, so signs stay; it leaves lanes 0-7, 16-23, 8-15, 24-31. */
        const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(a0[n], a1[n]), 0xd8);
        masks[n] = ~(uint32_t)_mm256_movemask_epi8(both);
    }
}

INLINE void scan_k(const int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                   const int32_t *column_bars, uint32_t *masks) {
    const __m256i *packed = (const __m256i *)columns; /* [2][k / 2][16 columns][2] */
    int16_t negated[GROUP];
    for (int c = 0; c < GROUP; c++) negated[c] = (int16_t)(uint16_t)-(uint32_t)column_bars[c];
    const __m256i start0 = _mm256_loadu_si256((const __m256i *)negated);
    const __m256i start1 = _mm256_loadu_si256((const __m256i *)(negated + 16));
    int64_t r = 0;
    for (; r + 4 <= count; r += 4) scan_rows(k, 4, rows + r * k, bars + r, packed, start0, start1, masks + r);
    for (; r < count; r++) scan_rows(k, 1, rows + r * k, bars + r, packed, start0, start1, masks + r);
}

TARGET static void scan(int k, int64_t count, const int8_t *rows, const int32_t *bars, const uint8_t *columns,
                        const int32_t *column_bars, uint32_t *masks) {
    WITH_KNOWN_LENGTH(k, scan_k, count, rows, bars, columns, column_bars, masks)
}

TARGET static int32_t fine(int k, const int8_t *x, const int8_t *y) {
    __m256i s0 = _mm256_setzero_si256(), s1 = _mm256_setzero_si256();
    for (int d = 0; d < k; d += 32) {
        const __m256i x0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(x + d)));
        const __m256i y0 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(y + d)));
        const __m256i x1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(x + d + 16)));
        const __m256i y1 = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(y + d + 16)));
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x0, y0));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x1, y1));
    }
    s0 = _mm256_add_epi32(s0, s1);
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

TARGET static double dot(int64_t dim, const uint16_t *x, const uint16_t *y) {
    __m256d s0 = _mm256_setzero_pd(), s1 = s0, s2 = s0, s3 = s0;
    int64_t d = 0;
    for (; d + 16 <= dim; d += 16) {
        const __m256 x0 = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + d)));
        const __m256 y0 = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(y + d)));
        const __m256 x1 = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + d + 8)));
        const __m256 y1 = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(y + d + 8)));
        s0 = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(x0)),
                             _mm256_cvtps_pd(_mm256_castps256_ps128(y0)), s0);
        s1 = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(x0, 1)),
                             _mm256_cvtps_pd(_mm256_extractf128_ps(y0, 1)), s1);
        s2 = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(x1)),
                             _mm256_cvtps_pd(_mm256_castps256_ps128(y1)), s2);
        s3 = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(x1, 1)),
                             _mm256_cvtps_pd(_mm256_extractf128_ps(y1, 1)), s3);
    }
    s0 = _mm256_add_pd(_mm256_add_pd(s0, s1), _mm256_add_pd(s2, s3));
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(s0), _mm256_extractf128_pd(s0, 1));
    double sum = _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
    for (; d < dim; d++) sum += (double)_cvtsh_ss(x[d]) * (double)_cvtsh_ss(y[d]);
    return sum;
}

TARGET static void widen(int64_t count, const uint16_t *half, float *out) {
    int64_t n = 0;
    for (; n + 8 <= count; n += 8) {
        _mm256_storeu_ps(out + n, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(half + n))));
    }
    for (; n < count; n++) out[n] = _cvtsh_ss(half[n]);
}

const kernel kernel_avx2 = {"AVX2", 2, 63, 64, 1, scan, fine, dot, widen};
#endif
