/* atlas.c: Atlas: after the handshake the client POSTs a nonce on the same connection, and the server answers with a TDX
 * quote over SHA-512(nonce || exporter) and dstack's event log, in which its certificate stands. */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "binding/atlas_http.h"
#include "binding/atlas_json.h"
#include "binding/binding.h"
#include "crypto/digest.h"

#define EKM_LEN     32
#define HASH_TEXT   64
#define EVENT       "New TLS Certificate"
#define REQUEST_MAX (512u + ATLS_ATLAS_REQUEST_LEN)
#define HEAD_ROOM   256u /* of an answer's head of ours */

typedef enum stage {
    STAGE_START = 0,
    STAGE_HEAD,
    STAGE_BODY,
    STAGE_JUDGED,  /* client */
    STAGE_ATTESTED /* server */
} stage;

typedef struct atlas {
    stage stage;
    uint8_t nonce[ATLS_ATLAS_NONCE_LEN];
    size_t looked; /* bytes of `in` in which the head does not end */
    size_t head_len, body_len;
} atlas;

/* --- both sides --- */

static atls_code report_data(const atls_link *link, const uint8_t nonce[ATLS_ATLAS_NONCE_LEN],
                             uint8_t out[64], atls_err *err)
{
    uint8_t ekm[EKM_LEN];
    if (!link->exporter.derive(link->exporter.self, "EXPORTER-Channel-Binding", (atls_buf){NULL, 0},
                               ekm, sizeof ekm)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.exporter", "TLS exports no keying material");
    }
    const atls_buf pieces[] = {{nonce, ATLS_ATLAS_NONCE_LEN}, {ekm, sizeof ekm}};
    return atls_digest(ATLS_SHA512, pieces, 2, out, err);
}

static const char *sentence(atls_http_fault fault)
{
    switch (fault) {
    case ATLS_HTTP_STATUS:
        return "its status is not 200";
    case ATLS_HTTP_METHOD:
        return "its method is not POST";
    case ATLS_HTTP_TARGET:
        return "it is not for /tdx_quote";
    case ATLS_HTTP_FIELD:
        return "a header line is malformed, or there are too many";
    case ATLS_HTTP_HOST:
        return "there is no Host, or there are two";
    case ATLS_HTTP_NO_LENGTH:
        return "there is no Content-Length";
    case ATLS_HTTP_LENGTH:
        return "Content-Length is no plain number, or there are two";
    case ATLS_HTTP_CODING:
        return "there is a Transfer-Encoding";
    case ATLS_HTTP_LARGE:
        return "its body is longer than 1048576 bytes";
    case ATLS_HTTP_FINE:
    case ATLS_HTTP_LINE:
        break;
    }
    return "its first line is not HTTP/1.1's";
}

/* Is the whole head there? Then a->head_len is set. */
static atls_code find_head(atls_link *link, atlas *a, bool *found, atls_err *err)
{
    const size_t looked = link->in_len < ATLS_HTTP_HEAD_MAX ? link->in_len : ATLS_HTTP_HEAD_MAX;
    const size_t len = atls_http_head_end((atls_buf){link->in, looked}, a->looked);
    if (len == 0 && looked == ATLS_HTTP_HEAD_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.size",
                        "the head of the peer's message goes past %u bytes", ATLS_HTTP_HEAD_MAX);
    }
    *found = len != 0;
    a->looked = looked;
    a->head_len = len;
    return ATLS_OK;
}

static atls_buf body_of(const atls_link *link, const atlas *a)
{
    return (atls_buf){link->in + a->head_len, a->body_len};
}

/* --- client --- */

static const char *host_of(const atls_link *link)
{
    const char *name = atls_link_option(link, "host", NULL);
    if (name == NULL && link->ssl != NULL) {
        name = SSL_get_servername(link->ssl, TLSEXT_NAMETYPE_host_name);
        name = name != NULL ? name : X509_VERIFY_PARAM_get0_host(SSL_get0_param(link->ssl), 0);
    }
    return name != NULL ? name : "localhost";
}

static atls_code begin(atls_link *link, atls_err *err)
{
    const char *name = host_of(link);
    if (link->role == ATLS_CLIENT &&
        !atls_http_host_fits((atls_buf){(const uint8_t *)name, strlen(name)})) {
        return ATLS_ERR(err, ATLS_E_USAGE, "atlas.host",
                        "\"%.80s\" cannot stand in the header Host", name);
    }
    return ATLS_OK;
}

static atls_code ask(atls_link *link, atlas *a, atls_err *err)
{
    char body[ATLS_ATLAS_REQUEST_LEN + 1];
    uint8_t space[REQUEST_MAX];
    const char *name = host_of(link);
    atls_writer w = atls_writer_of(space, sizeof space);
    ATLS_TRY(begin(link, err));
    ATLS_TRY(atls_link_random(link, a->nonce, sizeof a->nonce, err));
    atls_atlas_request_body(a->nonce, body);
    atls_http_put_request(&w, (atls_buf){(const uint8_t *)name, strlen(name)},
                          (atls_buf){(const uint8_t *)body, strlen(body)});
    return atls_link_send(link, atls_writer_done(&w), err);
}

static atls_code read_answer_head(atls_link *link, atlas *a, atls_err *err)
{
    atls_http_head head;
    const atls_http_fault fault = atls_http_response_head((atls_buf){link->in, a->head_len}, &head);
    a->body_len = head.body_len;
    if (fault == ATLS_HTTP_STATUS) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the server answers POST /tdx_quote with status %u", head.status);
    }
    if (fault == ATLS_HTTP_LARGE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "atlas.size", "the answer to POST /tdx_quote: %s",
                        sentence(fault));
    }
    return fault == ATLS_HTTP_FINE ? ATLS_OK
                                   : ATLS_ERR(err, ATLS_E_INVALID, "atlas.http",
                                              "the answer to POST /tdx_quote: %s", sentence(fault));
}

/* The last certificate event must be that of the certificate which this very connection showed. */
static atls_code expect(atls_link *link, const atlas *a, atls_err *err)
{
    atls_expected *e = &link->carried.expected;
    uint8_t hash[32];
    uint8_t *text = atls_carried_room(&link->carried, HASH_TEXT + 1);
    if (link->peer_der.len == 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "atlas.certificate", "the server has no certificate");
    }
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &link->peer_der, 1, hash, err));
    atls_hex_encode((atls_buf){hash, sizeof hash}, (char *)text);
    ATLS_TRY(report_data(link, a->nonce, e->report_data, err));
    e->has_report_data = true;
    e->event = EVENT;
    e->event_data = (atls_buf){text, HASH_TEXT};
    return ATLS_OK;
}

static atls_code more_behind(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "atlas.more",
                    "the server sends more than the answer that was asked for");
}

static atls_code take_answer(atls_link *link, atlas *a, atls_err *err)
{
    if (link->in_len > a->head_len + a->body_len) {
        return more_behind(err);
    }
    atls_carried_clear(&link->carried);
    atls_code rc = atls_atlas_read_answer(body_of(link, a), &link->carried, err);
    rc = rc == ATLS_OK ? expect(link, a, err) : rc;
    if (rc != ATLS_OK) {
        atls_carried_clear(&link->carried);
        return rc;
    }
    atls_link_take(link, a->head_len + a->body_len);
    a->stage = STAGE_JUDGED;
    return ATLS_OK;
}

static atls_code verify(atls_link *link, atlas *a, atls_step *next, atls_err *err)
{
    bool found = false;
    *next = ATLS_STEP_READ;
    if (a->stage == STAGE_JUDGED) { /* and accepted */
        *next = ATLS_STEP_DONE;
        return link->in_len == 0 ? ATLS_OK : more_behind(err);
    }
    if (a->stage == STAGE_START) {
        ATLS_TRY(ask(link, a, err));
        a->stage = STAGE_HEAD;
        return link->in_len == 0 ? ATLS_OK : more_behind(err);
    }
    if (a->stage == STAGE_HEAD) {
        ATLS_TRY(find_head(link, a, &found, err));
        if (!found) {
            return ATLS_OK;
        }
        ATLS_TRY(read_answer_head(link, a, err));
        a->stage = STAGE_BODY;
    }
    if (link->in_len - a->head_len < a->body_len) {
        return ATLS_OK;
    }
    *next = ATLS_STEP_JUDGE;
    return take_answer(link, a, err);
}

/* --- server --- */

/* Queues the answer that a request gets which cannot be served; the connection ends. */
static atls_code refuse(atls_link *link, unsigned status, const char *why, atls_err *err)
{
    uint8_t head[HEAD_ROOM];
    atls_writer w = atls_writer_of(head, sizeof head);
    atls_text body = atls_text_of(HEAD_ROOM);
    atls_text_add(&body, "{\"detail\":\"%s\"}", why);
    const size_t len = body.len;
    char *text = atls_text_take(&body);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_http_put_response_head(&w, status, len, true);
    atls_code rc = atls_link_send(link, atls_writer_done(&w), err);
    rc = rc == ATLS_OK ? atls_link_send(link, (atls_buf){(const uint8_t *)text, len}, err) : rc;
    free(text);
    return rc != ATLS_OK ? rc
                         : ATLS_ERR(err, ATLS_E_INVALID, "atlas.request",
                                    "the client's request is answered with %u: %s", status, why);
}

static atls_code refuse_fault(atls_link *link, atls_http_fault fault, atls_err *err)
{
    const unsigned status = fault == ATLS_HTTP_TARGET ? 404 : fault == ATLS_HTTP_METHOD ? 405 : 400;
    return refuse(link, status, sentence(fault), err);
}

static atls_code want_evidence(atls_link *link, atlas *a, atls_err *err)
{
    atls_err why;
    const atls_code rc = atls_atlas_read_request(body_of(link, a), a->nonce, &why);
    if (rc != ATLS_OK) {
        return rc == ATLS_E_INVALID ? refuse(link, 422, "nonce_hex of 64 hex digits is wanted", err)
                                    : ATLS_ERR_NOMEM(err);
    }
    atls_link_take(link, a->head_len + a->body_len);
    memset(&link->wanted, 0, sizeof link->wanted);
    ATLS_TRY(report_data(link, a->nonce, link->wanted.wide, err));
    atls_link_drop_evidence(link);
    a->stage = STAGE_ATTESTED;
    return ATLS_OK;
}

static atls_code answer(atls_link *link, atls_err *err)
{
    uint8_t head[HEAD_ROOM];
    char *body = NULL;
    if (strcmp(link->evidence.type, "tdx") != 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence",
                        "our evidence is of type %.16s, where Atlas knows tdx only",
                        link->evidence.type);
    }
    const atls_atlas_answer a = {atls_link_part(link, "quote"),
                                 atls_link_part(link, "event_log"),
                                 {link->wanted.wide, sizeof link->wanted.wide},
                                 link->when_s};
    ATLS_TRY(atls_atlas_write_answer(&a, &body, err));
    const size_t len = strlen(body);
    atls_writer w = atls_writer_of(head, sizeof head);
    atls_http_put_response_head(&w, 200, len, false);
    atls_code rc = atls_link_send(link, atls_writer_done(&w), err);
    rc = rc == ATLS_OK ? atls_link_send(link, (atls_buf){(const uint8_t *)body, len}, err) : rc;
    free(body);
    return rc;
}

static atls_code read_request_head(atls_link *link, atlas *a, atls_err *err)
{
    atls_http_head head;
    const atls_http_fault fault = atls_http_request_head((atls_buf){link->in, a->head_len}, &head);
    if (fault != ATLS_HTTP_FINE) {
        return refuse_fault(link, fault, err);
    }
    if (head.body_len > ATLS_HTTP_HEAD_MAX) { /* a nonce needs no more */
        return refuse(link, 400, "the body is too long for a nonce", err);
    }
    a->body_len = head.body_len;
    return ATLS_OK;
}

static atls_code attest(atls_link *link, atlas *a, atls_step *next, atls_err *err)
{
    bool found = false;
    *next = ATLS_STEP_READ;
    if (a->stage == STAGE_ATTESTED) {
        *next = ATLS_STEP_DONE;
        return answer(link, err);
    }
    if (a->stage != STAGE_BODY) {
        a->stage = STAGE_HEAD;
        ATLS_TRY(find_head(link, a, &found, err));
        if (!found) {
            return ATLS_OK;
        }
        ATLS_TRY(read_request_head(link, a, err));
        a->stage = STAGE_BODY;
    }
    if (link->in_len - a->head_len < a->body_len) {
        return ATLS_OK;
    }
    *next = ATLS_STEP_EVIDENCE;
    return want_evidence(link, a, err);
}

/* --- the dialect --- */

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    atlas *a = link->state;
    if (link->role == ATLS_CLIENT) {
        if (!link->asks) {
            *next = ATLS_STEP_DONE;
            return ATLS_OK;
        }
        return verify(link, a, next, err);
    }
    if (link->asks) { /* it has no way to show it */
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "a client of Atlas shows no evidence");
    }
    if (!link->shows) {
        return refuse(link, 404, "nothing here attests", err);
    }
    return attest(link, a, next, err);
}

const atls_binding atls_binding_atlas = {
    .name = "atlas",
    .kind = ATLS_BINDING_SESSION,
    .line = "session (exporter + nonce + certificate in RTMR3; no role in it: the server alone "
            "attests)",
    .shows = ATLS_SHOWS_SERVER,
    .alpn = {"http/1.1"},
    .alpn_optional = true,
    .options = {"host"},
    .in_max = ATLS_HTTP_HEAD_MAX + ATLS_HTTP_BODY_MAX,
    .state_size = sizeof(atlas),
    .begin = begin,
    .exchange = exchange,
};
