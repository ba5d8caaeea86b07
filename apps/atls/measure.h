/* measure.h: rates by CPU time of one thread, in short interleaved slices, reported as medians: what survives a
 * machine that does other things too. */
#ifndef ATLS_APPS_MEASURE_H
#define ATLS_APPS_MEASURE_H

#include <atls/types.h>

#define MEASURE_ROUNDS_MAX 4096

/* CPU seconds of this thread. */
double measure_cpu_s(void);
/* Wall seconds, monotonic. */
double measure_wall_s(void);

/* One value a round. */
typedef struct measure {
    double value[MEASURE_ROUNDS_MAX];
    size_t n;
} measure;
void measure_add(measure *m, double value); /* beyond the maximum the oldest is replaced */
double measure_median(const measure *m);

/* Runs op until slice_s CPU seconds have passed. *per_op_s: CPU seconds of one. op hands a failure up. */
typedef atls_code (*measure_op)(void *arg, atls_err *err);
atls_code measure_slice(measure_op op, void *arg, double slice_s, double *per_op_s, atls_err *err);

/* The p-th percentile (0 to 100) of n values, which are sorted by it. */
double measure_percentile(float *values, size_t n, double p);

#endif
