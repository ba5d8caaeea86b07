/* bench_verify.c: `atls bench verify`: verifications a second, and what share of the limit that the signatures set. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <atls/atls.h>

#include "bench.h"
#include "evidence_file.h"
#include "flags.h"
#include "input.h"
#include "measure.h"
#include "say.h"
#include "verifier_setup.h"

#define SLICE_S     0.02
#define SAMPLES_MAX ((size_t)1 << 20)
#define WARM_UP     3

enum {
    SECONDS = 0x100,
    COLD,
    AT,
    FORMAT,
    REPORT_DATA,
    NONCE,
    ISSUER,
    AUDIENCE,
    NONCE_TEXT,
    LEEWAY,
    QUIET
};

static const flag own_flags[] = {
    {SECONDS, "seconds", "N", "how long to measure (5)"},
    {COLD, "cold", NULL, "drop every cache before each verification"},
    {AT, "at", "RFC3339", "verify as of this time (now)"},
    {FORMAT, "format", "NAME", "as in `atls verify`"},
    {REPORT_DATA, "report-data", "HEX", "as in `atls verify`"},
    {NONCE, "nonce", "HEX", "as in `atls verify`"},
    {QUIET, "json", NULL, "the output is JSON anyway"},
    {QUIET, "offline", NULL, "as in `atls verify`"},
    {QUIET, "explain", NULL, "as in `atls verify`"},
    {ISSUER, "issuer", "TEXT", "as in `atls verify`"},
    {AUDIENCE, "audience", "TEXT", "as in `atls verify`"},
    {NONCE_TEXT, "nonce-text", "TEXT", "as in `atls verify`"},
    {LEEWAY, "leeway", "SECONDS", "as in `atls verify`"},
    {0, NULL, NULL, NULL},
};
static const flags bench_flags = {
    "atls bench verify [options] FILE...",
    "Verifies FILE over and over, and raw signatures in between: P-384 for SNP, Nitro and CCA, which use\n"
    "it, else P-256. per_s: verifications in a CPU second; of_limit: 1 would be nothing but signature\n"
    "verifications.",
    {own_flags, verifier_flags},
};

typedef struct request {
    verifier_setup setup;
    const char *format;
    atls_expected expected;
    int64_t at_s;
    double seconds;
    bool cold;
} request;

/* --- the reference: one verification on the curve of the evidence, key and context ready --- */

typedef struct reference {
    EVP_PKEY *key;
    EVP_PKEY_CTX *ctx;
    uint8_t digest[48];
    size_t digest_len;
    uint8_t signature[112];
    size_t signature_len;
} reference;

static void reference_close(reference *r)
{
    EVP_PKEY_CTX_free(r->ctx);
    EVP_PKEY_free(r->key);
}

/* The contract's name of the number says P-256 whatever the curve. */
static bool uses_p384(const char *format)
{
    static const char *const formats[] = {"snp", "nitro", "cca"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(format, formats[i]) == 0) {
            return true;
        }
    }
    return false;
}

static atls_code reference_open(const char *format, reference *out, atls_err *err)
{
    bool p384 = uses_p384(format);
    reference r = {.key = EVP_EC_gen(p384 ? "P-384" : "P-256"),
                   .digest_len = p384 ? 48 : 32,
                   .signature_len = sizeof r.signature};
    memset(r.digest, 0x5a, sizeof r.digest);
    EVP_PKEY_CTX *sign = r.key != NULL ? EVP_PKEY_CTX_new(r.key, NULL) : NULL;
    r.ctx = r.key != NULL ? EVP_PKEY_CTX_new(r.key, NULL) : NULL;
    bool good = sign != NULL && r.ctx != NULL && EVP_PKEY_sign_init(sign) == 1 &&
                EVP_PKEY_sign(sign, r.signature, &r.signature_len, r.digest, r.digest_len) == 1 &&
                EVP_PKEY_verify_init(r.ctx) == 1;
    EVP_PKEY_CTX_free(sign);
    if (!good) {
        reference_close(&r);
        ERR_clear_error();
        return fill_err(err, ATLS_E_SYSTEM, "bench.reference",
                        "OpenSSL cannot make an ECDSA signature");
    }
    *out = r;
    return ATLS_OK;
}

static atls_code reference_op(void *arg, atls_err *err)
{
    const reference *r = arg;
    if (EVP_PKEY_verify(r->ctx, r->signature, r->signature_len, r->digest, r->digest_len) != 1) {
        return fill_err(err, ATLS_E_SYSTEM, "bench.reference",
                        "the reference signature does not verify");
    }
    return ATLS_OK;
}

/* --- the verification --- */

typedef struct subject {
    atls_verifier *verifier;
    const atls_evidence *evidence;
    const request *request;
    char format[16];     /* of the evidence */
    unsigned signatures; /* of the last verification */
    double busy_s;       /* CPU time within verifications, of this slice */
    size_t done;         /* verifications of this slice */
    float *samples;      /* wall microseconds of each */
    size_t samples_n;
} subject;

static atls_code subject_op(void *arg, atls_err *err)
{
    subject *s = arg;
    if (s->request->cold) {
        atls_verifier_drop_caches(s->verifier); /* emptying them is not the verification's cost */
    }
    double cpu = measure_cpu_s();
    double wall = measure_wall_s();
    atls_verdict *verdict =
        atls_verifier_check(s->verifier, s->evidence, &s->request->expected, s->request->at_s, err);
    wall = measure_wall_s() - wall;
    if (verdict == NULL) {
        return err->code;
    }
    s->signatures = atls_verdict_signatures(verdict);
    atls_verdict_free(verdict);
    s->busy_s += measure_cpu_s() - cpu; /* a verdict's end belongs to its cost */
    s->done++;
    s->samples[s->samples_n % SAMPLES_MAX] = (float)(wall * 1e6);
    s->samples_n++;
    return ATLS_OK;
}

typedef struct result {
    measure reference_s, verify_s; /* seconds of one */
} result;

static atls_code measure_rounds(reference *ref, subject *s, result *out, atls_err *err)
{
    double until = measure_wall_s() + s->request->seconds;
    do {
        double per_op = 0;
        atls_code rc = measure_slice(reference_op, ref, SLICE_S, &per_op, err);
        measure_add(&out->reference_s, per_op);
        s->busy_s = 0;
        s->done = 0;
        rc = rc != ATLS_OK ? rc : measure_slice(subject_op, s, SLICE_S, &per_op, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        measure_add(&out->verify_s, s->busy_s / (double)s->done);
    } while (measure_wall_s() < until);
    return ATLS_OK;
}

/* Once to see that there is something to measure, and a few times to fill caches. */
static atls_code warm_up(subject *s, const char *path, atls_err *err)
{
    atls_verdict *verdict =
        atls_verifier_check(s->verifier, s->evidence, &s->request->expected, s->request->at_s, err);
    if (verdict == NULL) {
        return err->code;
    }
    if (!atls_verdict_accepted(verdict)) {
        fprintf(stderr, "atls: %s is refused all the same (%s): %s\n", path,
                atls_verdict_check(verdict), atls_verdict_message(verdict));
    }
    (void)snprintf(s->format, sizeof s->format, "%s", atls_verdict_format(verdict));
    atls_verdict_free(verdict);
    for (int i = 0; i < WARM_UP; i++) {
        atls_code rc = subject_op(s, err);
        if (rc != ATLS_OK) {
            return rc;
        }
    }
    if (s->signatures == 0) {
        return fill_err(err, ATLS_E_INVALID, "bench.evidence",
                        "%s: no signature of it is verified, so there is nothing to measure", path);
    }
    s->samples_n = 0;
    return ATLS_OK;
}

static void print_result(const result *m, subject *s)
{
    double verify_s = measure_median(&m->verify_s);
    double reference_s = measure_median(&m->reference_s);
    size_t n = s->samples_n < SAMPLES_MAX ? s->samples_n : SAMPLES_MAX;
    printf("{\"per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"ecdsa_verifies\":%u,"
           "\"ecdsa_p256_per_s\":%.1f,\"of_limit\":%.3f}\n",
           1 / verify_s, measure_percentile(s->samples, n, 50),
           measure_percentile(s->samples, n, 99), s->signatures, 1 / reference_s,
           reference_s * s->signatures / verify_s);
    (void)fflush(stdout);
}

static atls_code bench_file(const char *path, const request *r, atls_verifier *verifier,
                            atls_err *err)
{
    evidence_file file = {0};
    reference ref = {0};
    subject s = {.verifier = verifier, .request = r};
    result *m = calloc(1, sizeof *m);
    s.samples = malloc(SAMPLES_MAX * sizeof *s.samples);
    atls_code rc = m != NULL && s.samples != NULL
                       ? evidence_file_read(path, r->format, &file, err)
                       : fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    if (rc == ATLS_OK) {
        s.evidence = evidence_file_get0(&file);
        rc = warm_up(&s, path, err);
    }
    rc = rc != ATLS_OK ? rc : reference_open(s.format, &ref, err);
    rc = rc != ATLS_OK ? rc : measure_rounds(&ref, &s, m, err);
    if (rc == ATLS_OK) {
        print_result(m, &s);
    }
    reference_close(&ref);
    evidence_file_clear(&file);
    free(s.samples);
    free(m);
    return rc;
}

static int take(request *r, int id)
{
    size_t len = 0;
    uint64_t seconds = 0;
    bool good = true;
    switch (id) {
    case SECONDS:
        good = input_number(optarg, 1, 3600, &seconds);
        r->seconds = (double)seconds;
        break;
    case COLD:
        r->cold = true;
        break;
    case AT:
        good = input_time(optarg, &r->at_s);
        break;
    case FORMAT:
        r->format = optarg;
        good = evidence_format_is_known(optarg);
        break;
    case REPORT_DATA:
        good = input_hex(optarg, r->expected.report_data, 64, &len);
        r->expected.has_report_data = good;
        break;
    case NONCE:
        good =
            input_hex(optarg, r->expected.nonce, sizeof r->expected.nonce, &r->expected.nonce_len);
        r->expected.has_nonce = good;
        break;
    case ISSUER:
        r->expected.issuer = optarg;
        break;
    case AUDIENCE:
        r->expected.audience = optarg;
        break;
    case NONCE_TEXT:
        r->expected.nonce_text = optarg;
        break;
    case LEEWAY:
        good = input_number(optarg, 0, 86400, &seconds);
        r->expected.has_leeway = good;
        r->expected.leeway_s = (uint32_t)seconds;
        break;
    case QUIET:
        break;
    default:
        good = verifier_setup_take(&r->setup, id, optarg);
    }
    if (!good) {
        (void)say_refusal(ATLS_E_USAGE, "usage.argument", "'%s' is not what that option wants",
                          optarg);
    }
    return good ? FLAGS_END : FLAGS_WRONG;
}

int bench_verify(int argc, char **argv)
{
    request r = {.format = "auto", .at_s = (int64_t)time(NULL), .seconds = 5};
    flags_begin();
    int id;
    while ((id = flags_next(&bench_flags, argc, argv)) != FLAGS_END) {
        int taken = id == FLAGS_HELP || id == FLAGS_WRONG ? id : take(&r, id);
        if (taken != FLAGS_END) {
            return taken == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
    }
    if (optind == argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", bench_flags.usage);
    }
    verifier_kit kit = {0};
    atls_err err = {0};
    atls_code rc = verifier_setup_make(&r.setup, false, r.at_s, &kit, &err);
    for (int i = optind; rc == ATLS_OK && i < argc; i++) {
        rc = bench_file(argv[i], &r, kit.verifier, &err);
    }
    verifier_kit_clear(&kit);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
