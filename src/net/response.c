/* From an answer to an item: only its outer form is looked at here. Whether it holds is judged by src/trust. */
#include "net/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/crl.h"
#include "crypto/pem.h"
#include "net/header_chain.h"
#include "net/response_status.h"
#include "net/retry_after.h"
#include "trust/item.h"

#define ORIGIN_SHOWN 60

typedef struct answer { /* what is being read */
    const atls_origin *origin;
    const atls_http_response *response;
    atls_item_name name;
    char what[ATLS_ITEM_TEXT_LEN];
    atls_err *err;
} answer;

#define REFUSE(a, check, ...) refuse((a), (check), __LINE__, __VA_ARGS__)

static atls_code refuse(const answer *a, const char *check, int line, const char *fmt, ...)
    ATLS_PRINTF(4, 5);
static atls_code refuse(const answer *a, const char *check, int line, const char *fmt, ...)
{
    char text[ATLS_ERR_MSG_LEN];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return atls_err_set(a->err, ATLS_E_COLLATERAL, check, __FILE__, line, "%.*s, %s: %s",
                        ORIGIN_SHOWN, a->origin->name, a->what, text);
}

static bool is_json(atls_item_kind kind)
{
    return kind == ATLS_ITEM_TCB_INFO || kind == ATLS_ITEM_QE_IDENTITY || kind == ATLS_ITEM_JWKS;
}

static bool is_crl(atls_item_kind kind)
{
    return kind == ATLS_ITEM_PCK_CRL || kind == ATLS_ITEM_ROOT_CRL || kind == ATLS_ITEM_AMD_CRL;
}

/* --- content type: a hint that this is somebody's error page, nothing more --- */

static bool mentions(atls_buf text, const char *word)
{
    const size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp((const char *)text.ptr + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

/* A CRL as hex comes from some PCCS as text/html: what the body is decides then. */
static atls_code judge_content_type(const answer *a)
{
    atls_buf type;
    if (atls_header_find(a->response->headers, "content-type", 12, &type) == ATLS_HEADER_NONE) {
        return ATLS_OK;
    }
    const atls_buf body = a->response->body;
    const bool is_page =
        mentions(type, "text/html") &&
        !(is_crl(a->name.kind) && body.len > 0 && body.ptr[0] != '<' && body.ptr[0] != '\n');
    const bool fits = is_json(a->name.kind)
                          ? mentions(type, "json") || mentions(type, "text/plain") ||
                                mentions(type, "application/octet-stream")
                          : !mentions(type, "json");
    if (is_page || !fits) {
        return REFUSE(a, "fetch.content_type",
                      "came as \"%.*s\", where %s: is it a login page or a proxy that answers?",
                      (int)(type.len < 40 ? type.len : 40), (const char *)type.ptr,
                      is_json(a->name.kind) ? "JSON was asked for"
                                            : "a certificate or a CRL was asked for");
    }
    return ATLS_OK;
}

/* --- chain --- */

typedef struct chain_header {
    const char *name;
    size_t len;
} chain_header;

#define HEADER(text)                                                                               \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Which headers may have it; {NULL, 0}: the kind has no chain beside its body. */
static void chain_headers(atls_item_kind kind, chain_header out[2])
{
    static const chain_header tcb[2] = {HEADER("tcb-info-issuer-chain"),
                                        HEADER("sgx-tcb-info-issuer-chain")};
    static const chain_header qe = HEADER("sgx-enclave-identity-issuer-chain");
    static const chain_header crl = HEADER("sgx-pck-crl-issuer-chain");
    static const chain_header pck = HEADER("sgx-pck-certificate-issuer-chain");
    out[0] = (chain_header){NULL, 0};
    out[1] = (chain_header){NULL, 0};
    if (kind == ATLS_ITEM_TCB_INFO) {
        out[0] = tcb[0];
        out[1] = tcb[1];
    } else if (kind == ATLS_ITEM_QE_IDENTITY) {
        out[0] = qe;
    } else if (kind == ATLS_ITEM_PCK_CRL) {
        out[0] = crl;
    } else if (kind == ATLS_ITEM_PCK_CERT) {
        out[0] = pck;
    }
}

static atls_code read_chain(const answer *a, atls_writer *w, atls_buf *chain)
{
    chain_header names[2];
    atls_buf value = {NULL, 0};
    atls_header_found found = ATLS_HEADER_NONE;
    *chain = (atls_buf){NULL, 0};
    chain_headers(a->name.kind, names);
    if (names[0].name == NULL) {
        return ATLS_OK;
    }
    for (size_t i = 0; i < 2 && found == ATLS_HEADER_NONE && names[i].name != NULL; i++) {
        found = atls_header_find(a->response->headers, names[i].name, names[i].len, &value);
    }
    if (found != ATLS_HEADER_ONE) {
        return REFUSE(a, "fetch.chain", "%s header %s", found == ATLS_HEADER_NONE ? "no" : "two",
                      names[0].name);
    }
    if (!atls_percent_decode(value, w) || !atls_pem_looks(atls_writer_done(w))) {
        return REFUSE(a, "fetch.chain",
                      "the header %s is no percent-encoded PEM of at most %zu bytes", names[0].name,
                      ATLS_ITEM_CHAIN_MAX);
    }
    *chain = atls_writer_done(w);
    return ATLS_OK;
}

/* --- body --- */

static atls_buf trim(atls_buf text)
{
    static const char blanks[] = " \t\r\n";
    while (text.len > 0 && memchr(blanks, text.ptr[text.len - 1], sizeof blanks) != NULL) {
        text.len--;
    }
    while (text.len > 0 && memchr(blanks, text.ptr[0], sizeof blanks - 1) != NULL) {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* One SEQUENCE whose length is that of the bytes: a transfer that was cut off is told from a wrong object. */
static bool is_whole_der(atls_buf der)
{
    atls_reader r = atls_reader_of(der);
    const uint8_t tag = atls_reader_u8(&r);
    const uint8_t first = atls_reader_u8(&r);
    size_t len = first;
    if (first > 0x80 && first <= 0x84) {
        len = 0;
        for (unsigned i = 0x80; i < first; i++) {
            len = len * 256u + atls_reader_u8(&r);
        }
    }
    return atls_reader_ok(&r) && tag == 0x30 && first != 0x80 && len == r.left;
}

static bool looks_like_crl(atls_buf der)
{
    ERR_set_mark();
    const bool looks = atls_crl_looks(der);
    ERR_pop_to_mark();
    return looks;
}

static atls_code read_crl(const answer *a, uint8_t *space, atls_buf *body)
{
    const atls_buf bytes = a->response->body;
    const bool is_der = bytes.ptr[0] == 0x30;
    if (atls_crl_decode(is_der ? bytes : trim(bytes), space, body, NULL) != ATLS_OK) {
        return REFUSE(a, "fetch.body", "%zu bytes that are no CRL in PEM, DER or hex", bytes.len);
    }
    if (!is_whole_der(*body) || !looks_like_crl(*body)) {
        return REFUSE(a, "fetch.body", "%zu bytes that are no CRL, or one that is cut off",
                      bytes.len);
    }
    return ATLS_OK;
}

static atls_code read_certificate(const answer *a, uint8_t *space, atls_buf *body)
{
    const atls_buf bytes = a->response->body;
    atls_buf ders[1];
    size_t n = 0;
    if (atls_cert_split(bytes, space, bytes.len, ders, 1, &n, NULL) != ATLS_OK || n != 1 ||
        !is_whole_der(ders[0])) {
        return REFUSE(a, "fetch.body", "%zu bytes that are no certificate, or one that is cut off",
                      bytes.len);
    }
    *body = ders[0];
    return ATLS_OK;
}

/* As it came; its form only, so that a page or a torn transfer is told from a vendor's mistake. */
static atls_code read_text(const answer *a, atls_buf *body)
{
    const atls_buf text = trim(a->response->body);
    if (is_json(a->name.kind)) {
        if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}') {
            return REFUSE(a, "fetch.body", "%zu bytes that are no JSON object, or one cut off",
                          a->response->body.len);
        }
    } else {
        static const char end[] = "-----END CERTIFICATE-----";
        const size_t n = sizeof end - 1;
        if (!atls_pem_looks(text) || text.len < n || memcmp(text.ptr + text.len - n, end, n) != 0) {
            return REFUSE(a, "fetch.body", "%zu bytes that are no PEM certificates, or cut off",
                          a->response->body.len);
        }
    }
    *body = a->response->body;
    return ATLS_OK;
}

static atls_code read_body(const answer *a, uint8_t *space, atls_buf *body)
{
    atls_buf found = {NULL, 0};
    const size_t len = a->response->body.len;
    if (len == 0) {
        return REFUSE(a, "fetch.body", "an answer without a body");
    }
    if (is_crl(a->name.kind)) {
        ATLS_TRY(read_crl(a, space, &found));
    } else if (a->name.kind == ATLS_ITEM_VCEK) {
        ATLS_TRY(read_certificate(a, space, &found));
    } else {
        ATLS_TRY(read_text(a, &found));
    }
    if (found.ptr != space) {
        memcpy(space, found.ptr, found.len);
    }
    *body = (atls_buf){space, found.len};
    return ATLS_OK;
}

/* --- the whole --- */

/* A PCK certificate's item is its whole chain: the body, and behind it what the header has. */
static atls_buf join_pck(atls_buf leaf, atls_buf chain)
{
    uint8_t *at =
        (uint8_t *)(uintptr_t)leaf.ptr + leaf.len; /* of read_item's space, with room behind */
    size_t len = leaf.len;
    if (leaf.ptr[leaf.len - 1] != '\n') {
        *at++ = '\n';
        len++;
    }
    memcpy(at, chain.ptr, chain.len);
    return (atls_buf){leaf.ptr, len + chain.len};
}

static atls_code read_item(const answer *a, const char *key, atls_response_item *out)
{
    atls_buf chain = {NULL, 0};
    atls_buf body = {NULL, 0};
    const size_t len = a->response->body.len;
    if (len > ATLS_RESPONSE_BODY_MAX) {
        return REFUSE(a, "fetch.size", "%zu bytes, where %zu are allowed", len,
                      ATLS_RESPONSE_BODY_MAX);
    }
    ATLS_TRY(judge_content_type(a));
    uint8_t *space = malloc(ATLS_ITEM_CHAIN_MAX + len + 1 + ATLS_ITEM_CHAIN_MAX);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(a->err);
    }
    atls_writer w = atls_writer_of(space, ATLS_ITEM_CHAIN_MAX);
    atls_code rc = read_chain(a, &w, &chain);
    if (rc == ATLS_OK) {
        rc = read_body(a, space + ATLS_ITEM_CHAIN_MAX, &body);
    }
    if (rc == ATLS_OK && a->name.kind == ATLS_ITEM_PCK_CERT) {
        body = join_pck(body, chain);
        chain = (atls_buf){NULL, 0};
    }
    if (rc == ATLS_OK && body.len > ATLS_ITEM_BODY_MAX) {
        rc = REFUSE(a, "fetch.size", "%zu bytes, where %zu are allowed", body.len,
                    ATLS_ITEM_BODY_MAX);
    }
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    (void)snprintf(out->key, sizeof out->key, "%s", key);
    out->item = (atls_item){out->key, chain, body};
    out->space = space;
    return ATLS_OK;
}

atls_code atls_response_read(const atls_origin *origin, const char *key,
                             const atls_http_response *response, int64_t when_s,
                             atls_response_item *out, atls_response_hint *hint, atls_err *err)
{
    answer a = {.origin = origin, .response = response, .err = err};
    atls_buf retry;
    *hint = (atls_response_hint){0};
    ATLS_TRY(atls_item_name_parse(key, &a.name, err));
    atls_item_text(&a.name, a.what);
    if (response->status == 200) {
        return read_item(&a, key, out);
    }
    const atls_code rc = atls_response_refuse(origin, &a.name, response->status, hint, err);
    if (hint->unreachable &&
        atls_header_find(response->headers, "retry-after", 11, &retry) == ATLS_HEADER_ONE) {
        hint->retry_after_s = atls_retry_after_read(retry, when_s);
    }
    return rc;
}

void atls_response_item_free(atls_response_item *item)
{
    if (item != NULL) {
        free(item->space);
        *item = (atls_response_item){0};
    }
}
