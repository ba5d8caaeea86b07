/* The classic certificates of /vectors/ra-tls judged as their manifest says: the quote is Intel's, and bound to the key by
 * the hash of PKCS#1. Their platform's collateral of that time is not there, so the verdict itself stays open. Exit 77: the
 * vectors are not there. */
#include "vector_files.h"

#include "base/hex.h"
#include "base/rfc3339.h"
#include "binding/certificate.h"
#include "crypto/pem.h"
#include "verify/verdict.h"
#include <atls/atls.h>

static unsigned wrong;

static void expect(bool ok, const char *file, const char *what)
{
    if (!ok) {
        printf("FAIL %s: %s\n", file, what);
        wrong++;
    }
}

static const char *result_of(const atls_verdict *r, const char *id)
{
    static atls_check_line line; /* its strings are the verdict's */
    for (size_t i = 0; atls_verdict_check_at(r, i, &line); i++) {
        if (strcmp(line.id, id) == 0) {
            return line.result;
        }
    }
    return "not there";
}

static void judge_evidence(const char *file, const atls_carried *carried, int64_t when_s)
{
    atls_verifier *v = atls_verifier_new();
    atls_verdict *r = atls_verifier_check(v, &carried->evidence, &carried->expected, when_s, NULL);
    static const char *const good[] = {"pck.chain.root", "qe_report.signature", "quote.signature"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        expect(strcmp(result_of(r, good[i]), "ok") == 0, file, good[i]);
    }
    expect(strcmp(result_of(r, "binding.report_data"), "fail") != 0, file, "binding.report_data");
    expect(!atls_verdict_accepted(r), file, "refused without collateral");
    atls_verdict_free(r);
    atls_verifier_free(v);
}

static void judge(const json_t *vector)
{
    const char *file = vector_text(vector, "file");
    const json_t *wanted = json_object_get(vector, "expect");
    size_t len = 0;
    uint8_t *text = vector_read("ra-tls", file, &len);
    static uint8_t space[1 << 16];
    size_t used = 0;
    atls_buf rest = {text, len};
    atls_buf der = {NULL, 0};
    atls_carrier c = {0};
    atls_carried carried = {0};
    bool found = false;
    int64_t when_s = 0;
    char hex[65];
    expect(text != NULL && atls_pem_next(&rest, "CERTIFICATE", space, sizeof space, &used, &der),
           file, "PEM");
    expect(
        atls_time_parse(vector_text(vector, "time"), strlen(vector_text(vector, "time")), &when_s),
        file, "time");
    expect(atls_carrier_parse(der, &c, NULL) == ATLS_OK, file, "certificate");
    expect(atls_carrier_check(&c, when_s, NULL, 0, NULL) == ATLS_OK, file,
           "self-signed, in its dates");
    expect(atls_binding_ra_tls_knauth.read_certificate(&c, NULL, 0, &carried, &found, NULL) ==
                   ATLS_OK &&
               found,
           file, "read");
    atls_hex_encode((atls_buf){carried.expected.report_data, 32}, hex);
    expect(strstr(vector_text(wanted, "binding"), hex) != NULL, file,
           "the hash that the manifest names");
    expect(carried.evidence.parts[0].bytes.len ==
               (size_t)json_integer_value(json_object_get(wanted, "quote_len")),
           file, "length of the quote");
    /* The field itself, not only our expectation of it. */
    expect(carried.evidence.parts[0].bytes.len > 432 &&
               memcmp(carried.evidence.parts[0].bytes.ptr + 368, carried.expected.report_data,
                      64) == 0,
           file, "the quote's report data");
    judge_evidence(file, &carried, when_s);
    found = true;
    expect(atls_binding_ra_tls_oe.read_certificate(&c, NULL, 0, &carried, &found, NULL) ==
                   ATLS_OK &&
               !found,
           file, "nothing for ra-tls-oe");
    atls_carried_clear(&carried);
    atls_carrier_clear(&c);
    free(text);
}

int main(void)
{
    json_t *manifest = vector_manifest("ra-tls");
    if (manifest == NULL) {
        printf("no vectors\n");
        return 77;
    }
    unsigned judged = 0;
    size_t i;
    json_t *vector;
    json_array_foreach(json_object_get(manifest, "vectors"), i, vector)
    {
        if (strstr(vector_text(vector, "file"), "classic-1337") != NULL) {
            judge(vector);
            judged++;
        }
    }
    json_decref(manifest);
    printf("%u certificates, %u wrong\n", judged, wrong);
    return judged == 2 && wrong == 0 ? 0 : 1;
}
