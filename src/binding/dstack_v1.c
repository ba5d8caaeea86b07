/* dstack_v1.c: the second version of dstack's attestation: a MessagePack map {version, platform: {kind, data}, stack: {kind,
 * data}}. Byte vectors are arrays of numbers, or bin; names that are not known are passed over, as its own reader does. */
#include "binding/dstack_attestation.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/msgpack.h"

#define FORMAT "dstack.attestation.format"
#define LIT(s)                                                                                     \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

typedef struct reading {
    atls_dstack_attestation *out;
    uint8_t *space; /* the next free byte: decoded, vectors are never longer than they were */
    atls_err *err;
} reading;

static bool is(atls_buf text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

static atls_code bad(const reading *g, const char *member)
{
    return ATLS_ERR(g->err, ATLS_E_INVALID, FORMAT,
                    "dstack's attestation of version 1 has no good \"%s\"", member);
}

/* --- single values: false when it is not all of the member, or of another kind --- */

static bool number(atls_buf member, uint32_t max, uint32_t *out)
{
    atls_reader r = atls_reader_of(member);
    *out = (uint32_t)atls_msgpack_expect(&r, ATLS_MSGPACK_UINT, max).value;
    return atls_reader_end(&r);
}

static bool text(atls_buf member, uint32_t max, atls_buf *out)
{
    atls_reader r = atls_reader_of(member);
    *out = atls_msgpack_expect(&r, ATLS_MSGPACK_TEXT, max).bytes;
    return atls_reader_end(&r);
}

static bool vector(reading *g, atls_buf member, uint32_t max, atls_buf *out)
{
    atls_reader r = atls_reader_of(member);
    const uint32_t room = member.len < max ? (uint32_t)member.len : max;
    *out = atls_msgpack_byte_vector(&r, g->space, room);
    if (out->ptr == g->space) {
        g->space += out->len;
    }
    return atls_reader_end(&r);
}

/* --- events --- */

enum { E_IMR, E_TYPE, E_DIGEST, E_NAME, E_PAYLOAD, E_VERSION, E_N };
static const atls_buf log_names[E_N] = {LIT("imr"),   LIT("event_type"),    LIT("digest"),
                                        LIT("event"), LIT("event_payload"), LIT("version")};
static const atls_buf runtime_names[E_N] = {LIT(""),      LIT(""),        LIT(""),
                                            LIT("event"), LIT("payload"), LIT("version")};

static bool read_event(reading *g, atls_buf map, bool runtime, atls_dstack_event *e)
{
    atls_buf v[E_N];
    *e = (atls_dstack_event){
        .imr = ATLS_DSTACK_RUNTIME_IMR, .type = ATLS_DSTACK_RUNTIME_TYPE, .version = 1};
    if (!atls_msgpack_members(map, runtime ? runtime_names : log_names, E_N, v)) {
        return false;
    }
    if (!runtime &&
        (!number(v[E_IMR], 3, &e->imr) || !number(v[E_TYPE], UINT32_MAX, &e->type) ||
         (v[E_DIGEST].len > 0 && !vector(g, v[E_DIGEST], ATLS_DSTACK_DIGEST_MAX, &e->digest)))) {
        return false;
    }
    return text(v[E_NAME], ATLS_DSTACK_EVENT_MAX, &e->name) &&
           vector(g, v[E_PAYLOAD], ATLS_DSTACK_PAYLOAD_MAX, &e->payload) &&
           (v[E_VERSION].len == 0 || (number(v[E_VERSION], 2, &e->version) && e->version >= 1));
}

static bool read_events(reading *g, atls_buf list, bool runtime, atls_dstack_event **events,
                        size_t *n)
{
    atls_reader r = atls_reader_of(list);
    const atls_msgpack_item head =
        atls_msgpack_expect(&r, ATLS_MSGPACK_ARRAY, ATLS_DSTACK_LIST_MAX);
    for (uint32_t i = 0; i < head.value; i++) {
        if (!read_event(g, atls_msgpack_value(&r), runtime, &(*events)[i])) {
            return false;
        }
    }
    *n = (size_t)head.value;
    return atls_reader_end(&r);
}

/* --- the platform --- */

static atls_code read_tdx(reading *g, atls_buf data)
{
    static const atls_buf names[] = {LIT("quote"), LIT("event_log")};
    atls_buf v[2];
    atls_dstack_attestation *a = g->out;
    if (!atls_msgpack_members(data, names, 2, v) ||
        !vector(g, v[0], ATLS_DSTACK_QUOTE_MAX, &a->quote)) {
        return bad(g, "quote");
    }
    return read_events(g, v[1], false, &a->log, &a->log_n) ? ATLS_OK : bad(g, "event_log");
}

static atls_code read_snp(reading *g, atls_buf data)
{
    static const atls_buf names[] = {LIT("report"), LIT("cert_chain"), LIT("mr_config")};
    atls_buf v[3];
    atls_dstack_attestation *a = g->out;
    if (!atls_msgpack_members(data, names, 3, v) ||
        !vector(g, v[0], ATLS_DSTACK_QUOTE_MAX, &a->quote) ||
        !text(v[2], ATLS_DSTACK_CONFIG_MAX, &a->mr_config)) {
        return bad(g, "report");
    }
    atls_reader r = atls_reader_of(v[1]);
    const atls_msgpack_item list =
        atls_msgpack_expect(&r, ATLS_MSGPACK_ARRAY, ATLS_DSTACK_CERTS_MAX);
    for (uint32_t i = 0; i < list.value; i++) {
        if (!vector(g, atls_msgpack_value(&r), ATLS_DSTACK_CERT_MAX, &a->certs[i])) {
            return bad(g, "cert_chain");
        }
    }
    a->certs_n = (size_t)list.value;
    return atls_reader_end(&r) ? ATLS_OK : bad(g, "cert_chain");
}

static atls_code read_document(reading *g, atls_buf data)
{
    static const atls_buf names[] = {LIT("nsm_quote"), LIT("attestation_doc")};
    atls_buf v[2];
    const size_t at = g->out->platform == ATLS_DSTACK_NITRO_ENCLAVE ? 0 : 1;
    return atls_msgpack_members(data, names, 2, v) &&
                   vector(g, v[at], ATLS_DSTACK_QUOTE_MAX, &g->out->quote)
               ? ATLS_OK
               : bad(g, at == 0 ? "nsm_quote" : "attestation_doc");
}

/* {kind, data} */
static bool read_kind(atls_buf map, atls_buf *kind, atls_buf *data)
{
    static const atls_buf names[] = {LIT("kind"), LIT("data")};
    atls_buf v[2];
    bool ok = atls_msgpack_members(map, names, 2, v) && text(v[0], 64, kind);
    *data = ok ? v[1] : (atls_buf){NULL, 0};
    return ok;
}

static atls_code read_platform(reading *g, atls_buf map)
{
    static const char *const kinds[] = {"tdx", "gcp-tdx", "nitro-enclave", "sev-snp",
                                        "aws-nitro-tpm"};
    atls_buf kind;
    atls_buf data;
    size_t i = 0;
    if (!read_kind(map, &kind, &data)) {
        return bad(g, "platform");
    }
    while (i < sizeof kinds / sizeof kinds[0] && !is(kind, kinds[i])) {
        i++;
    }
    if (i == sizeof kinds / sizeof kinds[0]) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.attestation.platform",
                        "an attestation of dstack's for a platform that is not known (a name of "
                        "%zu bytes)",
                        kind.len);
    }
    g->out->platform = (atls_dstack_platform)i;
    switch (g->out->platform) {
    case ATLS_DSTACK_TDX:
    case ATLS_DSTACK_GCP_TDX:
        return read_tdx(g, data);
    case ATLS_DSTACK_SEV_SNP:
        return read_snp(g, data);
    default:
        return read_document(g, data);
    }
}

/* --- the stack --- */

static atls_code read_stack(reading *g, atls_buf map)
{
    static const atls_buf names[] = {LIT("report_data"), LIT("runtime_events"), LIT("config"),
                                     LIT("report_data_payload")};
    atls_buf kind;
    atls_buf data;
    atls_buf v[4];
    atls_dstack_attestation *a = g->out;
    if (!read_kind(map, &kind, &data) || !(is(kind, "dstack") || is(kind, "dstack-pod")) ||
        !atls_msgpack_members(data, names, 4, v)) {
        return bad(g, "stack");
    }
    if (!vector(g, v[0], ATLS_DSTACK_REPORT_DATA, &a->report_data) ||
        a->report_data.len != ATLS_DSTACK_REPORT_DATA) {
        return bad(g, "report_data");
    }
    if (!read_events(g, v[1], true, &a->runtime, &a->runtime_n)) {
        return bad(g, "runtime_events");
    }
    if (!text(v[2], ATLS_DSTACK_CONFIG_MAX, &a->config)) {
        return bad(g, "config");
    }
    if (is(kind, "dstack-pod") && (!text(v[3], ATLS_DSTACK_CONFIG_MAX, &a->payload))) {
        return bad(g, "report_data_payload");
    }
    a->has_payload = is(kind, "dstack-pod");
    return ATLS_OK;
}

static atls_code read_all(reading *g, atls_buf bytes)
{
    static const atls_buf names[] = {LIT("version"), LIT("platform"), LIT("stack")};
    atls_buf v[3];
    uint32_t version = 0;
    if (!atls_msgpack_members(bytes, names, 3, v) || !number(v[0], UINT32_MAX, &version) ||
        version != 1) {
        return bad(g, "version");
    }
    ATLS_TRY(read_platform(g, v[1]));
    return read_stack(g, v[2]);
}

atls_code atls_dstack_v1_read(atls_buf bytes, atls_dstack_attestation *out, atls_err *err)
{
    atls_dstack_attestation a = {.version = 1};
    if (bytes.len > ATLS_DSTACK_ATTESTATION_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, FORMAT, "an attestation of %zu bytes, at most %zu",
                        bytes.len, ATLS_DSTACK_ATTESTATION_MAX);
    }
    a.owned = calloc(2 * ATLS_DSTACK_LIST_MAX, sizeof *a.log);
    a.decoded = malloc(bytes.len + 1);
    if (a.owned == NULL || a.decoded == NULL) {
        atls_dstack_attestation_clear(&a);
        return ATLS_ERR_NOMEM(err);
    }
    a.log = a.owned;
    a.runtime = a.log + ATLS_DSTACK_LIST_MAX;
    reading g = {.out = &a, .space = a.decoded, .err = err};
    atls_code rc = read_all(&g, bytes);
    if (rc != ATLS_OK) {
        atls_dstack_attestation_clear(&a);
        return rc;
    }
    *out = a;
    return ATLS_OK;
}
