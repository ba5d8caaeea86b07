#include "net/pccs_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "crypto/cert.h"
#include "net/header_chain.h"
#include "trust/pck.h"

static const char check[] = "served.item";

static bool set_body(atls_served *s, atls_buf bytes)
{
    s->body = malloc(bytes.len > 0 ? bytes.len : 1);
    if (s->body == NULL) {
        return false;
    }
    memcpy(s->body, bytes.ptr, bytes.len);
    s->body_len = bytes.len;
    return true;
}

/* Takes value over; NULL: no memory. */
static bool add_header(atls_served *s, const char *name, char *value)
{
    if (value == NULL || s->headers_n == ATLS_SERVED_HEADERS) {
        free(value);
        return false;
    }
    s->headers[s->headers_n].name = name;
    s->headers[s->headers_n++].value = value;
    return true;
}

/* Percent-encoded; NULL: no memory. */
static char *coded(atls_buf pem)
{
    char *text = malloc(3 * pem.len + 1);
    if (text != NULL) {
        atls_writer w = atls_writer_of((uint8_t *)text, 3 * pem.len);
        atls_percent_encode(pem, &w);
        text[w.len] = '\0';
    }
    return text;
}

static atls_code with_chain(atls_served *s, const char *type, const char *header, atls_buf chain,
                            atls_buf body, atls_err *err)
{
    s->content_type = type;
    return add_header(s, header, coded(chain)) && set_body(s, body) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* --- CRLs --- */

static bool set_hex(atls_served *s, atls_buf der)
{
    s->content_type = "text/plain";
    s->body = malloc(2 * der.len + 1);
    if (s->body == NULL) {
        return false;
    }
    atls_hex_encode(der, (char *)s->body);
    s->body_len = 2 * der.len;
    return true;
}

static bool set_pem(atls_served *s, atls_buf der)
{
    static const char begin[] = "-----BEGIN X509 CRL-----\n";
    static const char end[] = "-----END X509 CRL-----\n";
    char *digits = atls_base64_encode(der);
    if (digits == NULL) {
        return false;
    }
    const size_t len = strlen(digits);
    const size_t cap = len + len / 64 + 1 + sizeof begin + sizeof end;
    s->content_type = "application/x-pem-file";
    s->body = malloc(cap);
    if (s->body != NULL) {
        atls_writer w = atls_writer_of(s->body, cap);
        atls_writer_text(&w, begin);
        for (size_t at = 0; at < len; at += 64) {
            const size_t n = len - at < 64 ? len - at : 64;
            atls_writer_bytes(&w, (atls_buf){(const uint8_t *)digits + at, n});
            atls_writer_u8(&w, '\n');
        }
        atls_writer_text(&w, end);
        s->body_len = w.len;
    }
    free(digits);
    return s->body != NULL;
}

static atls_code answer_crl(const atls_pccs_request *q, const atls_item *item, atls_served *s,
                            atls_err *err)
{
    bool fine = q->name.kind != ATLS_ITEM_PCK_CRL ||
                add_header(s, "SGX-PCK-CRL-Issuer-Chain", coded(item->chain));
    if (q->form == ATLS_PCCS_HEX) {
        fine = fine && set_hex(s, item->body);
    } else if (q->form == ATLS_PCCS_PEM) {
        fine = fine && set_pem(s, item->body);
    } else {
        s->content_type = "application/pkix-crl";
        fine = fine && set_body(s, item->body);
    }
    return fine ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* --- PCK certificates --- */

/* The first PEM block with the line end behind it, and what follows. */
static bool split_leaf(atls_buf pem, atls_buf *leaf, atls_buf *rest)
{
    static const char end[] = "-----END CERTIFICATE-----";
    for (size_t i = 0; i + sizeof end - 1 <= pem.len; i++) {
        if (memcmp(pem.ptr + i, end, sizeof end - 1) == 0) {
            size_t at = i + sizeof end - 1;
            while (at < pem.len && (pem.ptr[at] == '\n' || pem.ptr[at] == '\r')) {
                at++;
            }
            *leaf = (atls_buf){pem.ptr, at};
            *rest = (atls_buf){pem.ptr + at, pem.len - at};
            return rest->len > 0;
        }
    }
    return false;
}

static char *hex_text(atls_buf a, atls_buf b)
{
    char *text = malloc(2 * (a.len + b.len) + 1);
    if (text != NULL) {
        atls_hex_encode(a, text);
        atls_hex_encode(b, text + 2 * a.len);
    }
    return text;
}

/* What a client reads beside the certificate: the TCB that it is for, FMSPC, and which CA. */
static atls_code add_facts(atls_served *s, const atls_cert *leaf, atls_err *err)
{
    atls_pck_extension x;
    const atls_buf none = {NULL, 0};
    ATLS_TRY(atls_pck_extension_parse(leaf->sgx_extension, &x, err));
    const uint8_t pcesvn[2] = {(uint8_t)(x.svn.pcesvn % 256u), (uint8_t)(x.svn.pcesvn / 256u)};
    return add_header(s, "SGX-TCBm",
                      hex_text((atls_buf){x.cpusvn, sizeof x.cpusvn},
                               (atls_buf){pcesvn, sizeof pcesvn})) &&
                   add_header(s, "SGX-FMSPC",
                              hex_text((atls_buf){x.fmspc, sizeof x.fmspc}, none)) &&
                   add_header(s, "SGX-PCK-Certificate-CA-Type",
                              strdup(x.has_platform ? "platform" : "processor"))
               ? ATLS_OK
               : ATLS_ERR_NOMEM(err);
}

static atls_code answer_pck(const atls_item *item, atls_served *s, atls_err *err)
{
    atls_buf leaf;
    atls_buf rest;
    atls_buf der;
    size_t n = 0;
    atls_cert *cert = NULL;
    uint8_t space[ATLS_CERT_MAX_LEN * 2];
    if (!split_leaf(item->body, &leaf, &rest) || leaf.len > sizeof space) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "a PCK certificate without its chain");
    }
    ATLS_TRY(atls_cert_split(leaf, space, sizeof space, &der, 1, &n, err));
    ATLS_TRY(atls_cert_parse(der, &cert, err));
    atls_code rc = with_chain(s, "application/x-pem-file", "SGX-PCK-Certificate-Issuer-Chain", rest,
                              leaf, err);
    if (rc == ATLS_OK) {
        rc = add_facts(s, cert, err);
    }
    atls_cert_free(cert);
    return rc;
}

/* --- the whole --- */

static atls_code answer(const atls_pccs_request *q, const atls_item *item, atls_served *s,
                        atls_err *err)
{
    switch (q->name.kind) {
    case ATLS_ITEM_TCB_INFO:
        return with_chain(s, "application/json", "TCB-Info-Issuer-Chain", item->chain, item->body,
                          err);
    case ATLS_ITEM_QE_IDENTITY:
        return with_chain(s, "application/json", "SGX-Enclave-Identity-Issuer-Chain", item->chain,
                          item->body, err);
    case ATLS_ITEM_PCK_CRL:
    case ATLS_ITEM_ROOT_CRL:
    case ATLS_ITEM_AMD_CRL:
        return answer_crl(q, item, s, err);
    case ATLS_ITEM_PCK_CERT:
        return answer_pck(item, s, err);
    case ATLS_ITEM_VCEK:
        s->content_type = "application/octet-stream";
        return set_body(s, item->body) ? ATLS_OK : ATLS_ERR_NOMEM(err);
    case ATLS_ITEM_AMD_CHAIN:
        s->content_type = "application/x-pem-file";
        return set_body(s, item->body) ? ATLS_OK : ATLS_ERR_NOMEM(err);
    case ATLS_ITEM_JWKS:
    case ATLS_ITEM_KINDS:
        break;
    }
    return ATLS_ERR(err, ATLS_E_INVALID, check, "an item that is not served");
}

atls_code atls_pccs_answer(const atls_pccs_request *request, const atls_item *item,
                           atls_served *out, atls_err *err)
{
    atls_served s = {.status = 200};
    const atls_code rc = answer(request, item, &s, err);
    if (rc != ATLS_OK) {
        atls_served_clear(&s);
        return rc;
    }
    *out = s;
    return ATLS_OK;
}

/* What a PCCS or KDS says when it cannot give the item. */
static int status_of(const atls_pccs_request *q, const atls_err *why)
{
    const bool is_amd = q->name.kind == ATLS_ITEM_VCEK || q->name.kind == ATLS_ITEM_AMD_CHAIN ||
                        q->name.kind == ATLS_ITEM_AMD_CRL;
    if (strcmp(why->check, "fetch.absent") == 0) {
        return q->name.kind == ATLS_ITEM_PCK_CERT ? 461 : 404;
    }
    if (strcmp(why->check, "fetch.no_origin") == 0) {
        return 404;
    }
    if (strcmp(why->check, "fetch.busy") == 0) {
        return 503;
    }
    return is_amd && strcmp(why->check, "fetch.throttled") == 0 ? 429 : 502;
}

static const char *sentence_of(int status)
{
    return status == 400   ? "the parameters are none that this service knows"
           : status == 405 ? "this service answers GET only"
                           : "this service has no such path (version 4, and AMD's KDS)";
}

atls_code atls_pccs_refuse(const atls_pccs_request *request, int status, const atls_err *why,
                           atls_served *out, atls_err *err)
{
    char text[ATLS_ERR_MSG_LEN + 80];
    atls_served s = {.status = why == NULL || request == NULL ? status : status_of(request, why),
                     .content_type = "text/plain"};
    const int n = why == NULL || request == NULL
                      ? snprintf(text, sizeof text, "%s\n", sentence_of(status))
                      : snprintf(text, sizeof text, "%s [%s]\n", why->msg, why->check);
    bool fine = n > 0 && set_body(&s, (atls_buf){(const uint8_t *)text, strlen(text)});
    if (s.status == 429 || s.status == 503) {
        fine = fine && add_header(&s, "Retry-After", strdup("10"));
    } else if (s.status == 405) {
        fine = fine && add_header(&s, "Allow", strdup("GET"));
    }
    if (!fine) {
        atls_served_clear(&s);
        return ATLS_ERR_NOMEM(err);
    }
    *out = s;
    return ATLS_OK;
}

void atls_served_clear(atls_served *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->headers_n; i++) {
        free(s->headers[i].value);
    }
    free(s->body);
    memset(s, 0, sizeof *s);
}
