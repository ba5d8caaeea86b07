/* bench_verify.c: verifications against the time that their ECDSA verifications alone take, in one process.
 *
 *   bench_verify QUOTE COLLATERAL RFC3339 [ROUNDS]
 *
 * Prints a JSON object: per second, microseconds each, and of_limit: 1 would be all the time in ECDSA. The
 * kinds are interleaved, so that a noisy machine disturbs all of them alike; CPU time of this thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/rfc3339.h"
#include <atls/atls.h>

#define FILE_MAX  (4u << 20)
#define WARM_EACH 200
#define COLD_EACH 25
#define PURE_EACH 200

typedef struct pure {
    EVP_PKEY_CTX *ctx;
    uint8_t digest[32], sig[80];
    size_t sig_len;
} pure;

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static atls_buf read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *space = malloc(FILE_MAX);
    if (f == NULL || space == NULL) {
        perror(path);
        exit(2);
    }
    atls_buf b = {space, fread(space, 1, FILE_MAX, f)};
    (void)fclose(f);
    return b;
}

static bool pure_new(pure *p)
{
    memset(p->digest, 0x5a, sizeof p->digest);
    p->sig_len = sizeof p->sig;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    p->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good = signer != NULL && p->ctx != NULL && EVP_PKEY_sign_init(signer) == 1 &&
                EVP_PKEY_sign(signer, p->sig, &p->sig_len, p->digest, sizeof p->digest) == 1 &&
                EVP_PKEY_verify_init(p->ctx) == 1;
    EVP_PKEY_CTX_free(signer);
    EVP_PKEY_free(key);
    return good;
}

static double time_pure(pure *p)
{
    double start = now_us();
    for (int i = 0; i < PURE_EACH; i++) {
        if (EVP_PKEY_verify(p->ctx, p->sig, p->sig_len, p->digest, sizeof p->digest) != 1) {
            exit(3);
        }
    }
    return (now_us() - start) / PURE_EACH;
}

static double time_verify(atls_verifier *v, const atls_evidence *e, int64_t when_s, bool cold,
                          int n, unsigned *signatures)
{
    double start = now_us();
    for (int i = 0; i < n; i++) {
        if (cold) {
            atls_verifier_drop_caches(v);
        }
        atls_verdict *r = atls_verifier_check(v, e, NULL, when_s, NULL);
        if (r == NULL || !atls_verdict_accepted(r)) {
            (void)fprintf(stderr, "refused: %s\n",
                          r == NULL ? "no memory" : atls_verdict_message(r));
            exit(4);
        }
        *signatures = atls_verdict_signatures(r);
        atls_verdict_free(r);
    }
    return (now_us() - start) / n;
}

static void print(const char *name, double us, unsigned signatures, double pure_us, const char *end)
{
    (void)printf("\"%s\":{\"per_s\":%.0f,\"us\":%.1f,\"ecdsa_verifies\":%u,\"of_limit\":%.3f}%s",
                 name, 1e6 / us, us, signatures, pure_us * signatures / us, end);
}

int main(int argc, char **argv)
{
    atls_err err = {0};
    atls_collateral *collateral = NULL;
    int64_t when_s = 0;
    pure p;
    if (argc < 4 || !atls_time_parse(argv[3], strlen(argv[3]), &when_s) || !pure_new(&p)) {
        (void)fprintf(stderr, "usage: bench_verify QUOTE COLLATERAL RFC3339 [ROUNDS]\n");
        return 1;
    }
    int rounds = argc > 4 ? atoi(argv[4]) : 40;
    atls_verifier *v = atls_verifier_new();
    if (v == NULL || atls_collateral_parse(read_file(argv[2]), &collateral, &err) != ATLS_OK ||
        atls_verifier_add1_collateral(v, collateral, &err) != ATLS_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    atls_evidence e = {.parts_n = 1, .parts = {{"quote", read_file(argv[1])}}};
    double pure_us = 0;
    double cold_us = 0;
    double warm_us = 0;
    unsigned cold_n = 0;
    unsigned warm_n = 0;
    for (int i = 0; i < rounds; i++) {
        pure_us += time_pure(&p);
        cold_us += time_verify(v, &e, when_s, true, COLD_EACH, &cold_n);
        warm_us += time_verify(v, &e, when_s, false, WARM_EACH, &warm_n);
    }
    pure_us /= rounds;
    (void)printf("{\"ecdsa_p256_per_s\":%.0f,", 1e6 / pure_us);
    print("warm", warm_us / rounds, warm_n, pure_us, ",");
    print("cold", cold_us / rounds, cold_n, pure_us, "}\n");
    return 0;
}
