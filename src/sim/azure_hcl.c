/* Offsets and fields: the paravisor's layout, little endian. */
#include "sim/azure.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/writer.h"
#include "codec/base64url.h"
#include "crypto/digest.h"

#define REPORT_LEN 1184
#define RUNTIME_AT 0x4d4u
#define IGVM_HEAD  20u

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

static atls_code no_crypto(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a paravisor's report could not be made");
}

/* --- runtime data --- */

/* The modulus as base64url; freed with atls_free. */
static char *modulus_of(EVP_PKEY *key, const char *fault)
{
    BIGNUM *n = NULL;
    uint8_t modulus[256];
    const bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                      BN_bn2binpad(n, modulus, sizeof modulus) == (int)sizeof modulus;
    BN_free(n);
    return good ? atls_base64url_encode(
                      (atls_buf){modulus, is(fault, "runtime.short_key") ? 128 : sizeof modulus})
                : NULL;
}

static void add_key(atls_text *t, const char *kid, const char *n, const char *fault)
{
    atls_text_add(
        t, "{\"kid\":\"%s\",\"key_ops\":[\"sign\"],\"kty\":\"%s\",\"e\":\"%s\",\"n\":\"%s%s\"}",
        kid, is(fault, "runtime.kty") ? "EC" : "RSA", is(fault, "runtime.exponent") ? "AQ" : "AQAB",
        n, is(fault, "runtime.padding") ? "==" : "");
}

static void add_keys(atls_text *t, const char *ak, const char *ek, const char *fault)
{
    const bool nested = is(fault, "runtime.nested");
    atls_text_add(t, "%s", nested ? "\"more\":{\"keys\":[" : "");
    if (nested) {
        add_key(t, "HCLAkPub", ak, fault);
        atls_text_add(t, "]},");
    }
    atls_text_add(t, is(fault, "runtime.no_array") ? "\"keys\":{\"0\":" : "\"keys\":[");
    if (!nested) {
        add_key(t,
                is(fault, "runtime.no_ak")     ? "hclakpub"
                : is(fault, "odd.escaped_kid") ? "HCL\\u0041kPub"
                                               : "HCLAkPub",
                ak, fault);
        atls_text_add(t, is(fault, "runtime.no_array") ? ",\"1\":" : ",");
    }
    if (is(fault, "runtime.two") || is(fault, "runtime.two_escaped")) {
        add_key(t, is(fault, "runtime.two") ? "HCLAkPub" : "\\u0048CLAkPub", ek, fault);
        atls_text_add(t, ",");
    }
    add_key(t, "HCLEkPub", ek, NULL);
    atls_text_add(t, is(fault, "runtime.no_array") ? "}" : "]");
    if (is(fault, "runtime.twice")) {
        atls_text_add(t, ",\"keys\":[");
        add_key(t, "HCLAkPub", ek, NULL);
        atls_text_add(t, "]");
    }
}

static char *runtime_text(const char *ak, const char *ek, const uint8_t user_data[64],
                          const char *fault)
{
    char data[2 * 64 + 1];
    atls_hex_encode((atls_buf){user_data, 64}, data);
    atls_text t = atls_text_of(SIM_RUNTIME_MAX - 1);
    const char *id = is(fault, "runtime.vm_id") ? "17"
                     : is(fault, "runtime.vm_id_long")
                         ? "\"0123456789012345678901234567890123456789\""
                         : "\"41544c53-5349-4d00-0000-000000000001\"";
    atls_text_add(&t, "{");
    add_keys(&t, ak, ek, fault);
    atls_text_add(&t,
                  ",\"vm-configuration\":{\"console-enabled\":false,\"secure-boot\":true,"
                  "\"tpm-enabled\":true,\"vmUniqueId\":%s},\"user-data\":\"%s\"%s",
                  id, data, is(fault, "runtime.json") ? "" : "}");
    return atls_text_take(&t);
}

atls_code sim_azure_runtime(EVP_PKEY *ak, EVP_PKEY *other, const uint8_t user_data[64],
                            const char *fault, char out[SIM_RUNTIME_MAX], size_t *len,
                            atls_err *err)
{
    char *n = modulus_of(ak, fault);
    char *m = modulus_of(other, NULL);
    char *text = n != NULL && m != NULL ? runtime_text(n, m, user_data, fault) : NULL;
    atls_free(n);
    atls_free(m);
    if (text == NULL) {
        return no_crypto(err);
    }
    *len = strlen(text);
    memcpy(out, text, *len + 1);
    free(text);
    return ATLS_OK;
}

atls_code sim_azure_report_data(atls_buf runtime, const char *fault, uint8_t out[64], atls_err *err)
{
    const atls_hash hash = is(fault, "odd.sha384")   ? ATLS_SHA384
                           : is(fault, "odd.sha512") ? ATLS_SHA512
                                                     : ATLS_SHA256;
    memset(out, 0, 64);
    ATLS_TRY(atls_digest(hash, &runtime, 1, out, err));
    out[63] ^= is(fault, "runtime.tail") ? 1 : 0;
    out[0] ^= is(fault, "splice.report") ? 1 : 0;
    return ATLS_OK;
}

/* --- the HCL report --- */

/* The usual value, or that of the fault. */
static uint32_t field(const char *fault, const char *name, uint32_t usual, uint32_t wrong)
{
    return is(fault, name) ? wrong : usual;
}

atls_code sim_azure_hcl(atls_buf report, atls_buf runtime, const char *fault,
                        uint8_t out[SIM_HCL_MAX], size_t *len, atls_err *err)
{
    const uint32_t n = (uint32_t)runtime.len;
    const uint32_t hash = is(fault, "odd.sha384") || is(fault, "runtime.hash") ? 2
                          : is(fault, "odd.sha512")                            ? 3
                                                                               : 1;
    atls_writer w = atls_writer_of(out, SIM_HCL_MAX);
    atls_writer_text(&w, is(fault, "hcl.magic") ? "HCLB" : "HCLA");
    atls_writer_u32le(&w, field(fault, "hcl.version", is(fault, "odd.version_1") ? 1 : 2, 3));
    atls_writer_u32le(&w, field(fault, "hcl.size", RUNTIME_AT + n, RUNTIME_AT + n + 1));
    atls_writer_u32le(&w, field(fault, "hcl.request", 2, 1));
    atls_writer_zeros(&w, 16);
    atls_writer_bytes(&w, report);
    atls_writer_u32le(&w, field(fault, "hcl.igvm_size", IGVM_HEAD + n, n));
    atls_writer_u32le(&w, field(fault, "hcl.igvm_version", 1, 2));
    atls_writer_u32le(&w, is(fault, "hcl.type") ? 3 : is(fault, "hcl.tdx") ? 4 : 2);
    atls_writer_u32le(&w, field(fault, "hcl.hash", hash, 4));
    atls_writer_u32le(&w, field(fault, "hcl.runtime_size", n, n - 1));
    atls_writer_bytes(&w, runtime);
    atls_writer_zeros(&w, is(fault, "odd.padded") ? 64 : is(fault, "hcl.long") ? 4097 - n : 0);
    if (is(fault, "hcl.trailing")) {
        atls_writer_u8(&w, 1);
    }
    const size_t made = atls_writer_done(&w).len;
    if (made == 0 || report.len != REPORT_LEN) {
        return no_crypto(err);
    }
    *len = made - (is(fault, "hcl.cut") ? 1 : 0);
    out[made - 1] ^= is(fault, "runtime.changed") ? 0x20 : 0;
    return ATLS_OK;
}
