#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double measure_cpu_s(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double measure_wall_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

void measure_add(measure *m, double value)
{
    m->value[m->n % MEASURE_ROUNDS_MAX] = value;
    m->n++;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(const measure *m)
{
    static const double nothing = 0;
    size_t n = m->n < MEASURE_ROUNDS_MAX ? m->n : MEASURE_ROUNDS_MAX;
    double *sorted = n > 0 ? malloc(n * sizeof *sorted) : NULL;
    if (sorted == NULL) {
        return nothing;
    }
    memcpy(sorted, m->value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    free(sorted);
    return median;
}

atls_code measure_slice(measure_op op, void *arg, double slice_s, double *per_op_s, atls_err *err)
{
    double start = measure_cpu_s();
    double end = start;
    size_t n = 0;
    while (end - start < slice_s || n == 0) {
        atls_code rc = op(arg, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        n++;
        end = measure_cpu_s();
    }
    *per_op_s = (end - start) / (double)n;
    return ATLS_OK;
}

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

double measure_percentile(float *values, size_t n, double p)
{
    if (n == 0) {
        return 0;
    }
    qsort(values, n, sizeof *values, by_float);
    size_t i = (size_t)(p / 100 * (double)(n - 1) + 0.5);
    return (double)values[i];
}
