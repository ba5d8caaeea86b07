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
    atls_code rc;   /* of the first failure */
    atls_err *err;
} reading;

static bool is(atls_buf text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

/* The member of the first failure, which is the innermost one, is told. Always false. */
static bool bad(reading *g, const char *member)
{
    if (g->rc == ATLS_OK) {
        g->rc = ATLS_ERR(g->err, ATLS_E_INVALID, FORMAT,
                         "dstack's attestation of version 1 has no good \"%s\"", member);
    }
    return false;
}

/* --- single values: false when the next one is of another kind, or too long --- */

static bool number(atls_reader *r, uint32_t max, uint32_t *out)
{
    *out = (uint32_t)atls_msgpack_expect(r, ATLS_MSGPACK_UINT, max).value;
    return atls_reader_ok(r);
}

static bool text(atls_reader *r, uint32_t max, atls_buf *out)
{
    *out = atls_msgpack_expect(r, ATLS_MSGPACK_TEXT, max).bytes;
    return atls_reader_ok(r);
}

static bool vector(reading *g, atls_reader *r, uint32_t max, atls_buf *out)
{
    const uint32_t room = r->left < max ? (uint32_t)r->left : max;
    *out = atls_msgpack_byte_vector(r, g->space, room);
    if (out->ptr == g->space) {
        g->space += out->len;
    }
    return atls_reader_ok(r);
}

/* --- maps, member after member: a vector of numbers is long, and nothing is gone over twice --- */

/* Takes the value of member number `which` of a table off r. */
typedef bool (*take_member)(reading *g, size_t which, atls_reader *r, void *into);

typedef struct members {
    const atls_buf *names; /* at most 32; others are passed over */
    size_t n, required;    /* the first ones have to be there */
    take_member take;
} members;

static size_t place_of(const members *m, atls_buf name)
{
    size_t i = 0;
    while (i < m->n && !atls_equal(m->names[i], name)) {
        i++;
    }
    return i;
}

static bool read_map(reading *g, const members *m, atls_reader *r, void *into)
{
    bool seen[32] = {false};
    const uint64_t pairs = atls_msgpack_expect(r, ATLS_MSGPACK_MAP, ATLS_MSGPACK_MEMBERS_MAX).value;
    for (uint64_t i = 0; i < pairs; i++) {
        const size_t at = place_of(m, atls_msgpack_expect(r, ATLS_MSGPACK_TEXT, UINT32_MAX).bytes);
        if (at == m->n) {
            (void)atls_msgpack_value(r);
            continue;
        }
        if (seen[at] || !m->take(g, at, r, into)) {
            return false;
        }
        seen[at] = true;
    }
    for (size_t i = 0; i < m->required; i++) {
        if (!seen[i]) {
            return false;
        }
    }
    return atls_reader_ok(r);
}

/* {kind, data}, in either order: what is in the data, the kind says. */
typedef bool (*take_data)(reading *g, atls_buf kind, atls_reader *r);

typedef struct tagged {
    take_data take;
    atls_buf kind;
    atls_buf data; /* that stood in front of its kind; empty: it did not */
} tagged;

static bool take_tagged(reading *g, size_t which, atls_reader *r, void *into)
{
    tagged *t = into;
    if (which == 0) {
        return text(r, 64, &t->kind);
    }
    if (t->kind.len > 0) {
        return t->take(g, t->kind, r);
    }
    t->data = atls_msgpack_value(r);
    return atls_reader_ok(r);
}

static bool read_tagged(reading *g, take_data take, atls_reader *r)
{
    static const atls_buf names[] = {LIT("kind"), LIT("data")};
    static const members m = {names, 2, 2, take_tagged};
    tagged t = {.take = take};
    if (!read_map(g, &m, r, &t)) {
        return false;
    }
    atls_reader data = atls_reader_of(t.data);
    return t.data.len == 0 || (take(g, t.kind, &data) && atls_reader_end(&data));
}

/* --- events --- */

enum { E_NAME, E_PAYLOAD, E_IMR, E_TYPE, E_DIGEST, E_VERSION };

static bool take_event(reading *g, size_t which, atls_reader *r, void *into)
{
    atls_dstack_event *e = into;
    switch (which) {
    case E_NAME:
        return text(r, ATLS_DSTACK_EVENT_MAX, &e->name);
    case E_PAYLOAD:
        return vector(g, r, ATLS_DSTACK_PAYLOAD_MAX, &e->payload);
    case E_IMR:
        return number(r, 3, &e->imr);
    case E_TYPE:
        return number(r, UINT32_MAX, &e->type);
    case E_DIGEST:
        return vector(g, r, ATLS_DSTACK_DIGEST_MAX, &e->digest);
    default:
        return number(r, 2, &e->version) && e->version >= 1;
    }
}

static bool take_runtime_event(reading *g, size_t which, atls_reader *r, void *into)
{
    return take_event(g, which < 2 ? which : E_VERSION, r, into);
}

static const atls_buf log_names[] = {LIT("event"),      LIT("event_payload"), LIT("imr"),
                                     LIT("event_type"), LIT("digest"),        LIT("version")};
static const members log_members = {log_names, 6, 4, take_event};
static const atls_buf runtime_names[] = {LIT("event"), LIT("payload"), LIT("version")};
static const members runtime_members = {runtime_names, 3, 2, take_runtime_event};

static bool read_events(reading *g, const members *m, atls_reader *r, atls_dstack_event **events,
                        size_t *n)
{
    const size_t count =
        (size_t)atls_msgpack_expect(r, ATLS_MSGPACK_ARRAY, ATLS_DSTACK_LIST_MAX).value;
    atls_dstack_event *list = calloc(count + 1, sizeof *list);
    if (list == NULL) {
        g->rc = ATLS_ERR_NOMEM(g->err);
        return false;
    }
    *events = list; /* and owned by what is read */
    for (size_t i = 0; i < count; i++) {
        list[i] = (atls_dstack_event){
            .imr = ATLS_DSTACK_RUNTIME_IMR, .type = ATLS_DSTACK_RUNTIME_TYPE, .version = 1};
        if (!read_map(g, m, r, &list[i])) {
            return false;
        }
    }
    *n = count;
    return atls_reader_ok(r);
}

/* --- the platform --- */

static bool take_tdx(reading *g, size_t which, atls_reader *r, void *into)
{
    atls_dstack_attestation *a = into;
    if (which == 0) {
        return vector(g, r, ATLS_DSTACK_QUOTE_MAX, &a->quote) || bad(g, "quote");
    }
    const bool good = read_events(g, &log_members, r, &a->log, &a->log_n);
    a->owned[0] = a->log;
    return good || bad(g, "event_log");
}

static bool read_certs(reading *g, atls_reader *r)
{
    atls_dstack_attestation *a = g->out;
    const size_t n =
        (size_t)atls_msgpack_expect(r, ATLS_MSGPACK_ARRAY, ATLS_DSTACK_CERTS_MAX).value;
    for (size_t i = 0; i < n; i++) {
        if (!vector(g, r, ATLS_DSTACK_CERT_MAX, &a->certs[i])) {
            return false;
        }
    }
    a->certs_n = n;
    return atls_reader_ok(r);
}

static bool take_snp(reading *g, size_t which, atls_reader *r, void *into)
{
    atls_dstack_attestation *a = into;
    switch (which) {
    case 0:
        return vector(g, r, ATLS_DSTACK_QUOTE_MAX, &a->quote) || bad(g, "report");
    case 1:
        return read_certs(g, r) || bad(g, "cert_chain");
    default:
        return text(r, ATLS_DSTACK_CONFIG_MAX, &a->mr_config) || bad(g, "mr_config");
    }
}

static bool take_document(reading *g, size_t which, atls_reader *r, void *into)
{
    atls_dstack_attestation *a = into;
    (void)which;
    return vector(g, r, ATLS_DSTACK_QUOTE_MAX, &a->quote);
}

static const atls_buf tdx_names[] = {LIT("quote"), LIT("event_log")};
static const atls_buf snp_names[] = {LIT("report"), LIT("cert_chain"), LIT("mr_config")};
static const atls_buf nsm_names[] = {LIT("nsm_quote")};
static const atls_buf tpm_names[] = {LIT("attestation_doc")};
static const struct {
    const char *kind;
    members of;
} platforms[] = {[ATLS_DSTACK_TDX] = {"tdx", {tdx_names, 2, 2, take_tdx}},
                 [ATLS_DSTACK_GCP_TDX] = {"gcp-tdx", {tdx_names, 2, 2, take_tdx}},
                 [ATLS_DSTACK_NITRO_ENCLAVE] = {"nitro-enclave", {nsm_names, 1, 1, take_document}},
                 [ATLS_DSTACK_SEV_SNP] = {"sev-snp", {snp_names, 3, 3, take_snp}},
                 [ATLS_DSTACK_NITRO_TPM] = {"aws-nitro-tpm", {tpm_names, 1, 1, take_document}}};
#define PLATFORMS (sizeof platforms / sizeof platforms[0])

static bool take_platform(reading *g, atls_buf kind, atls_reader *r)
{
    size_t i = 0;
    while (i < PLATFORMS && !is(kind, platforms[i].kind)) {
        i++;
    }
    if (i == PLATFORMS) {
        g->rc = ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.attestation.platform",
                         "an attestation of dstack's for a platform that is not known (a name of "
                         "%zu bytes)",
                         kind.len);
        return false;
    }
    g->out->platform = (atls_dstack_platform)i;
    return read_map(g, &platforms[i].of, r, g->out) || bad(g, "data");
}

/* --- the stack --- */

enum { S_REPORT_DATA, S_EVENTS, S_CONFIG, S_PAYLOAD };

static bool take_stack_member(reading *g, size_t which, atls_reader *r, void *into)
{
    atls_dstack_attestation *a = into;
    bool good;
    switch (which) {
    case S_REPORT_DATA:
        return (vector(g, r, ATLS_DSTACK_REPORT_DATA, &a->report_data) &&
                a->report_data.len == ATLS_DSTACK_REPORT_DATA) ||
               bad(g, "report_data");
    case S_EVENTS:
        good = read_events(g, &runtime_members, r, &a->runtime, &a->runtime_n);
        a->owned[1] = a->runtime;
        return good || bad(g, "runtime_events");
    case S_CONFIG:
        return text(r, ATLS_DSTACK_CONFIG_MAX, &a->config) || bad(g, "config");
    default:
        return text(r, ATLS_DSTACK_CONFIG_MAX, &a->payload) || bad(g, "report_data_payload");
    }
}

static bool take_stack(reading *g, atls_buf kind, atls_reader *r)
{
    static const atls_buf names[] = {LIT("report_data"), LIT("runtime_events"), LIT("config"),
                                     LIT("report_data_payload")};
    static const members of_app = {names, 3, 3, take_stack_member};
    static const members of_pod = {names, 4, 4, take_stack_member};
    g->out->has_payload = is(kind, "dstack-pod");
    return (g->out->has_payload || is(kind, "dstack")) &&
           read_map(g, g->out->has_payload ? &of_pod : &of_app, r, g->out);
}

/* --- the whole --- */

static bool take_part(reading *g, size_t which, atls_reader *r, void *into)
{
    uint32_t version = 0;
    (void)into;
    switch (which) {
    case 0:
        return (number(r, UINT32_MAX, &version) && version == 1) || bad(g, "version");
    case 1:
        return read_tagged(g, take_platform, r) || bad(g, "platform");
    default:
        return read_tagged(g, take_stack, r) || bad(g, "stack");
    }
}

static atls_code read_all(reading *g, atls_buf bytes)
{
    static const atls_buf names[] = {LIT("version"), LIT("platform"), LIT("stack")};
    static const members m = {names, 3, 3, take_part};
    atls_reader r = atls_reader_of(bytes);
    if (!read_map(g, &m, &r, NULL) || !atls_reader_end(&r)) {
        (void)bad(g, "version");
    }
    return g->rc;
}

atls_code atls_dstack_v1_read(atls_buf bytes, atls_dstack_attestation *out, atls_err *err)
{
    atls_dstack_attestation a = {.version = 1};
    if (bytes.len > ATLS_DSTACK_ATTESTATION_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, FORMAT, "an attestation of %zu bytes, at most %zu",
                        bytes.len, ATLS_DSTACK_ATTESTATION_MAX);
    }
    a.decoded = malloc(bytes.len + 1);
    if (a.decoded == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    reading g = {.out = &a, .space = a.decoded, .rc = ATLS_OK, .err = err};
    atls_code rc = read_all(&g, bytes);
    if (rc != ATLS_OK) {
        atls_dstack_attestation_clear(&a);
        return rc;
    }
    *out = a;
    return ATLS_OK;
}
