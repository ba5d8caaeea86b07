/* fake_tsm.h: a kernel that has configfs-tsm, with the semantics of drivers/virt/coco/guest/report.c: one provider,
 * directories made and removed by anybody, a generation that each write moves on, a write that counts when the file is
 * closed (and whose error is then lost), an outblob made at the first read after a write and kept until the next one, one
 * request at a time. It lives in shared memory, so that several processes meet in it. */
#ifndef ATLS_TESTS_FAKE_TSM_H
#define ATLS_TESTS_FAKE_TSM_H

#include <pthread.h>

#include "attest/os.h"

#define FAKE_TSM_DIR   "/fake/tsm/report"
#define FAKE_TSM_DIRS  32
#define FAKE_TSM_FILES 128
#define FAKE_TSM_BYTES ((size_t)70 * 1024)

/* What the kernel and its host do; all zero (beside provider) is a machine that works. */
typedef struct fake_tsm_plan {
    const char *provider; /* NULL: none */
    size_t piece;         /* most bytes that one read gives; 0: all that is asked for */
    unsigned takes_ms;    /* for one report, with everybody else's request waiting */
    int out_errno;        /* the next out_times reports fail so */
    unsigned out_times;   /* UINT_MAX: all */
    int aux_errno;
    int mkdir_errno;
    size_t out_len; /* of evidence; 0: 5,000 */
    bool empty;     /* reports have no bytes */
    bool host_busy; /* EBUSY rather than waiting, while a report is being made */
    unsigned
        raced; /* so many of the next requests: another program writes into the directory, too */
    unsigned raced_late; /* the same, right after the report was made */
    unsigned lost;       /* so many of the next requests: what was written does not count */
    unsigned floor;      /* of SNP's levels */
    const uint8_t *aux;
    size_t aux_len;
    bool frozen; /* time passes only in sleep_ms */
    /* Makes evidence over inblob into out; NULL: bytes of the provider's shape with inblob in its place. */
    size_t (*make)(void *ctx, const uint8_t *inblob, uint8_t *out, size_t cap);
    void *ctx;
} fake_tsm_plan;

typedef struct fake_tsm fake_tsm;

/* In memory that children share after fork. */
fake_tsm *fake_tsm_new(const fake_tsm_plan *plan);
void fake_tsm_free(fake_tsm *k);
attest_os fake_tsm_os(fake_tsm *k);

fake_tsm_plan *fake_tsm_change(fake_tsm *k); /* while nobody asks */
/* Directories and open files that are left; both must be 0 when all is done. */
unsigned fake_tsm_left(fake_tsm *k);
unsigned fake_tsm_reports(fake_tsm *k); /* made so far */
long fake_tsm_level(fake_tsm *k);       /* privlevel of the last report */

#endif
