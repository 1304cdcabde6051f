/* The Python side of the kernels: checks what it is given, lets other threads run, and calls the chosen kernel. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "kernels.h"

static int lowest_bit(uint32_t mask) {
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctz(mask);
#else
    int bit = 0;
    while (!(mask >> bit & 1)) bit++;
    return bit;
#endif
}

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address)
#endif

static const kernel *available[3];
static int n_available;

#ifdef SNELLEN_X86
#include <cpuid.h>

/* Some compilers cannot ask for it by name. */
static int has_f16c(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c >> 29 & 1;
}
#endif

static void find_available(void) {
#ifdef SNELLEN_X86
    __builtin_cpu_init();
    const int usual = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (usual && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni"))
        available[n_available++] = &kernel_avx512;
    if (usual) available[n_available++] = &kernel_avx2;
#endif
    available[n_available++] = &kernel_portable;
}

static const kernel *chosen(int index) {
    if (index >= 0 && index < n_available) return available[index];
    PyErr_Format(PyExc_ValueError, "no kernel %d: there are %d", index, n_available);
    return NULL;
}

static PyObject *kernels(PyObject *self, PyObject *args) {
    PyObject *list = PyList_New(n_available);
    for (int n = 0; list && n < n_available; n++) {
        const kernel *one = available[n];
        PyObject *entry =
            Py_BuildValue("(siiii)", one->name, one->interleave, one->levels, one->offset, one->wraps);
        if (!entry || PyList_SetItem(list, n, entry) < 0) Py_CLEAR(list);
    }
    return list;
}

/* Buffers of one call, released together. */
typedef struct {
    Py_buffer view[8];
    int count;
} buffers;

static void release(buffers *held) {
    while (held->count) PyBuffer_Release(&held->view[--held->count]);
}

/* Take a C-contiguous buffer of at least `bytes` bytes; NULL with an exception where it is shorter. */
static void *take(buffers *held, PyObject *object, const char *name, int64_t bytes, int writable) {
    Py_buffer *view = &held->view[held->count];
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0)) < 0) return NULL;
    held->count++;
    if (view->len >= bytes && bytes >= 0) return view->buf;
    PyErr_Format(PyExc_ValueError, "%s has %zd bytes where %lld are needed", name, view->len, (long long)bytes);
    return NULL;
}

typedef struct {
    const kernel *use;
    int k, fine_k;
    int64_t row_start, row_stop, column_start, column_stop, room;
    const int8_t *rows, *fine;
    const uint8_t *columns;
    const int32_t *bars, *column_bars, *fine_bars;
    int32_t *out;
} scan_task;

/* Append the pairs of one group of columns that pass both sketches; -1 where they do not fit.
 *
 * A hit is rare and comes when it will, so branches on it are mispredicted: rows with hits are gathered first, without
 * branches, and whether a pair passes is added, not branched on. */
static int64_t scan_group(const scan_task *t, int64_t group, const uint32_t *masks, int64_t found) {
    uint16_t with_hits[MOST_ROWS];
    const int64_t count = t->row_stop - t->row_start;
    int64_t n_with_hits = 0;
    for (int64_t r = 0; r < count; r++) {
        with_hits[n_with_hits] = (uint16_t)r;
        n_with_hits += masks[r] != 0;
    }
    for (int64_t n = 0; n < n_with_hits; n++) {
        const int64_t i = t->row_start + with_hits[n];
        const int8_t *row = t->fine + i * t->fine_k;
        for (uint32_t mask = masks[with_hits[n]]; mask; mask &= mask - 1) {
            const int64_t j = group * GROUP + lowest_bit(mask);
            if (j >= t->column_stop) break; /* beyond the last row there is nothing to read */
            if (found == t->room) return -1;
            t->out[2 * found] = (int32_t)i;
            t->out[2 * found + 1] = (int32_t)j;
            const int64_t bar = (int64_t)t->fine_bars[i] + t->fine_bars[j];
            found += (t->use->fine(t->fine_k, row, t->fine + j * t->fine_k) >= bar) & (j > i) & (j >= t->column_start);
        }
    }
    return found;
}

static int64_t scan_all(const scan_task *t) {
    uint32_t masks[MOST_ROWS];
    int64_t found = 0;
    for (int64_t group = t->column_start / GROUP; group * GROUP < t->column_stop && found >= 0; group++) {
        if ((group + 1) * GROUP <= t->row_start + 1) continue; /* no j > i here */
        t->use->scan(t->k, t->row_stop - t->row_start, t->rows + t->row_start * t->k, t->bars + t->row_start,
                     t->columns + group * GROUP * t->k, t->column_bars + group * GROUP, masks);
        found = scan_group(t, group, masks, found);
    }
    return found;
}

static PyObject *scan(PyObject *self, PyObject *args) {
    int index;
    long long n;
    scan_task t;
    PyObject *rows, *bars, *columns, *column_bars, *fine, *fine_bars, *out;
    if (!PyArg_ParseTuple(args, "iLiiOOOOOO(LLLL)O", &index, &n, &t.k, &t.fine_k, &rows, &bars, &columns, &column_bars,
                          &fine, &fine_bars, &t.row_start, &t.row_stop, &t.column_start, &t.column_stop, &out))
        return NULL;
    if (!(t.use = chosen(index))) return NULL;
    if (n < 0 || n > INT32_MAX || t.k < 16 || t.k > 128 || t.k % 8 || t.fine_k < 64 || t.fine_k > 1024 ||
        t.fine_k % 64 || t.row_start < 0 || t.row_stop < 0 || t.row_stop > n || t.row_stop - t.row_start > MOST_ROWS ||
        t.column_start < 0 || t.column_stop > n) {
        PyErr_SetString(PyExc_ValueError, "a tile outside of the rows, or sketches of a length that no kernel has");
        return NULL;
    }
    const int64_t padded = (n + GROUP - 1) / GROUP * GROUP;
    buffers held = {.count = 0};
    PyObject *result = NULL;
    if ((t.rows = take(&held, rows, "rows", n * t.k, 0)) && (t.bars = take(&held, bars, "bars", n * 4, 0)) &&
        (t.columns = take(&held, columns, "columns", padded * t.k, 0)) &&
        (t.column_bars = take(&held, column_bars, "column_bars", padded * 4, 0)) &&
        (t.fine = take(&held, fine, "fine", n * t.fine_k, 0)) &&
        (t.fine_bars = take(&held, fine_bars, "fine_bars", n * 4, 0)) && (t.out = take(&held, out, "out", 8, 1))) {
        t.room = held.view[held.count - 1].len / 8;
        int64_t found;
        Py_BEGIN_ALLOW_THREADS;
        found = t.row_start < t.row_stop ? scan_all(&t) : 0;
        Py_END_ALLOW_THREADS;
        result = PyLong_FromLongLong(found);
    }
    release(&held);
    return result;
}

/* The address of one row, or NULL outside of the shards. */
static const uint16_t *row_at(int64_t row, int64_t shards, const int64_t *starts, const uint64_t *addresses,
                              int64_t dim) {
    if (row < starts[0] || row >= starts[shards]) return NULL;
    int64_t low = 0, high = shards;
    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        if (starts[middle] <= row) low = middle;
        else high = middle;
    }
    return (const uint16_t *)(uintptr_t)addresses[low] + (row - starts[low]) * dim;
}

static int dots_all(const kernel *use, int64_t dim, int64_t shards, const uint64_t *addresses, const int64_t *starts,
                    int64_t n, const int64_t *rows, int64_t count, const int64_t *a, const int64_t *b, double *out) {
    const uint16_t *next_x = NULL, *next_y = NULL;
    for (int64_t p = 0; p <= count; p++) {
        const uint16_t *x = next_x, *y = next_y;
        if (p < count) { /* rows lie anywhere in memory: they are on their way while the pair before is computed */
            if (a[p] < 0 || a[p] >= n || b[p] < 0 || b[p] >= n) return -1;
            next_x = row_at(rows[a[p]], shards, starts, addresses, dim);
            next_y = row_at(rows[b[p]], shards, starts, addresses, dim);
            if (!next_x || !next_y) return -1;
            for (int64_t d = 0; d < dim; d += 32) {
                PREFETCH(next_x + d);
                PREFETCH(next_y + d);
            }
        }
        if (p > 0) out[p - 1] = use->dot(dim, x, y);
    }
    return 0;
}

static PyObject *dots(PyObject *self, PyObject *args) {
    int index;
    long long dim, shards, n, count;
    PyObject *addresses, *starts, *rows, *a, *b, *out;
    if (!PyArg_ParseTuple(args, "iLLLLOOOOOO", &index, &dim, &shards, &n, &count, &addresses, &starts, &rows, &a, &b,
                          &out))
        return NULL;
    const kernel *use = chosen(index);
    if (!use) return NULL;
    if (dim < 1 || shards < 1 || shards > INT32_MAX || n < 0 || n > INT64_MAX / 8 || count < 0 || count > INT64_MAX / 8) {
        PyErr_SetString(PyExc_ValueError, "a number of shards, rows or pairs, or a length of rows, that cannot be");
        return NULL;
    }
    buffers held = {.count = 0};
    PyObject *result = NULL;
    const uint64_t *address;
    const int64_t *start, *row, *left, *right;
    double *cosines;
    if ((address = take(&held, addresses, "addresses", shards * 8, 0)) &&
        (start = take(&held, starts, "starts", (shards + 1) * 8, 0)) && (row = take(&held, rows, "rows", n * 8, 0)) &&
        (left = take(&held, a, "a", count * 8, 0)) && (right = take(&held, b, "b", count * 8, 0)) &&
        (cosines = take(&held, out, "out", count * 8, 1))) {
        int status;
        Py_BEGIN_ALLOW_THREADS;
        status = dots_all(use, dim, shards, address, start, n, row, count, left, right, cosines);
        Py_END_ALLOW_THREADS;
        if (status < 0) PyErr_SetString(PyExc_IndexError, "a pair names a row that is not there");
        else result = Py_NewRef(Py_None);
    }
    release(&held);
    return result;
}

static PyObject *widen(PyObject *self, PyObject *args) {
    int index;
    PyObject *half, *out;
    if (!PyArg_ParseTuple(args, "iOO", &index, &half, &out)) return NULL;
    const kernel *use = chosen(index);
    if (!use) return NULL;
    buffers held = {.count = 0};
    PyObject *result = NULL;
    const uint16_t *from = take(&held, half, "half", 0, 0);
    float *to = from ? take(&held, out, "out", 2 * held.view[0].len, 1) : NULL;
    if (to) {
        Py_BEGIN_ALLOW_THREADS;
        use->widen(held.view[0].len / 2, from, to);
        Py_END_ALLOW_THREADS;
        result = Py_NewRef(Py_None);
    }
    release(&held);
    return result;
}

static PyMethodDef methods[] = {
    {"kernels", kernels, METH_NOARGS, "List (name, interleave, levels, offset, wraps) of this machine's kernels, best first."},
    {"scan", scan, METH_VARARGS,
     "scan(kernel, n, k, fine_k, rows, bars, columns, column_bars, fine, fine_bars, tile, out) -> pairs found, or -1."},
    {"dots", dots, METH_VARARGS,
     "dots(kernel, dim, shards, n, count, addresses, starts, rows, a, b, out): fill out with float64 dot products."},
    {"widen", widen, METH_VARARGS, "widen(kernel, half, out): turn float16 into float32."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_compiled", "The miner's compiled kernels.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__compiled(void) {
    if (!n_available) find_available();
    return PyModule_Create(&definition);
}
