/* Cocos against peers that do what they like: a server that shows what it should not, a client that asks as it should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "attacks/evil.h"
#include "base/writer.h"
#include "binding/cocos_evidence.h"
#include "binding/cocos_frame.h"
#include "binding/cocos_payload.h"
#include "channel/config.h"
#include "crypto/digest.h"

#define POLICY(more)                                                                               \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"w\",\"tees\":[\"tdx\"],\"bindings\":"           \
    "[\"cocos\"]" more "}]}"

static const rig_options usual = {
    .client_asks = true, .server_shows = true, .bindings = "cocos", .client_policy = POLICY("")};

/* --- one connection --- */

typedef struct play {
    rig_side victim;
    evil evil;
    uint8_t header[ATLS_COCOS_HEADER];
    uint8_t frame[ATLS_EA_MAX];
    size_t frame_len;
} play;

static play *play_new(atls_role victim, const rig_options *o, const evil_options *e)
{
    play *p = calloc(1, sizeof *p);
    assert_non_null(p);
    evil_options with = e != NULL ? *e : (evil_options){0};
    with.alpn = "h2";
    rig_side_new(&p->victim, victim, o != NULL ? o : &usual);
    evil_meet(&p->evil, victim == ATLS_CLIENT ? ATLS_SERVER : ATLS_CLIENT, &with, &p->victim);
    assert_true(p->evil.tls_done);
    return p;
}

static void play_free(play *p)
{
    evil_free(&p->evil);
    rig_side_free(&p->victim);
    free(p);
}

static bool read_bytes(play *p, uint8_t *out, size_t len)
{
    size_t got = 0;
    for (int i = 0; got < len && i < 60; i++) {
        size_t n = 0;
        ERR_clear_error();
        if (SSL_read_ex(p->evil.ssl, out + got, len - got, &n) == 1) {
            got += n;
        } else if (p->victim.rc >= ATLS_WANT_READ) {
            (void)rig_step(&p->victim);
        }
    }
    return got == len;
}

static void read_frame(play *p, uint8_t type)
{
    uint32_t len = 0;
    assert_true(read_bytes(p, p->header, sizeof p->header));
    assert_int_equal(atls_cocos_frame_parse(p->header, type, &len, NULL), ATLS_OK);
    assert_true(read_bytes(p, p->frame, len));
    p->frame_len = len;
}

static void send_frame(play *p, uint8_t type, const uint8_t *bytes, size_t len)
{
    uint8_t header[ATLS_COCOS_HEADER];
    atls_cocos_frame_write(type, (uint32_t)len, header);
    evil_send_raw(&p->evil, header, sizeof header);
    if (len > 0) {
        evil_send_raw(&p->evil, bytes, len);
    }
}

static void settle(play *p)
{
    for (int i = 0; i < 60 && p->victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&p->victim);
    }
}

static void assert_ends(play *p, atls_code code, const char *check)
{
    uint8_t data[16];
    size_t n = 0;
    settle(p);
    rig_assert_failed(&p->victim, code, check);
    assert_int_not_equal(rig_read(&p->victim, data, sizeof data, &n), ATLS_OK);
    assert_int_equal(n, 0);
    const atls_verdict *v = atls_session_get0_verdict(p->victim.session);
    assert_true(v == NULL || !atls_verdict_accepted(v));
}

/* --- an answer of the server, honest until the test changes it --- */

typedef struct reply {
    atls_ea_request request;
    const atls_config *key;
    uint8_t binder[48], exported[32], aik[48], binding[48], wide[64], nonce[32];
    size_t len; /* of the first, third and fourth */
    bool no_evidence, no_extension, empty;
    const char *json;              /* instead of the payload */
    void (*spoil)(uint8_t *quote); /* may be NULL */
} reply;

static void prepare(play *p, reply *a)
{
    const atls_exporter *x = &p->evil.exporter;
    *a = (reply){.key = p->evil.identity, .len = atls_hash_len(x->hash)};
    assert_int_equal(atls_ea_request_parse((atls_buf){p->frame, p->frame_len}, ATLS_EA_SERVER,
                                           ATLS_EA_CMW_TYPE, &a->request, NULL),
                     ATLS_OK);
    const atls_buf spki = {a->key->spki, a->key->spki_len};
    assert_int_equal(atls_ea_binder(x, spki, a->request.context, a->binder, NULL), ATLS_OK);
    memcpy(a->binding, a->binder, sizeof a->binding);
    assert_true(x->derive(x->self, "Attestation", a->request.context, a->exported, 32));
    const atls_buf binder = {a->binder, a->len};
    assert_int_equal(atls_digest(x->hash, &spki, 1, a->aik, NULL), ATLS_OK);
    assert_int_equal(atls_digest(ATLS_SHA512, &binder, 1, a->wide, NULL), ATLS_OK);
    assert_int_equal(atls_digest(ATLS_SHA256, &(atls_buf){a->exported, 32}, 1, a->nonce, NULL),
                     ATLS_OK);
}

static void make_payload(play *p, const reply *a, uint8_t **out, size_t *len)
{
    atls_evidence_blob blob = {.parts_n = 0};
    atls_report_data data = {.spki = NULL};
    uint8_t *claims = NULL;
    size_t claims_len = 0;
    memcpy(data.wide, a->wide, sizeof data.wide);
    assert_int_equal(p->evil.attester->attest(p->evil.attester->self, &data, &blob, NULL), ATLS_OK);
    if (a->spoil != NULL) {
        a->spoil(blob.parts[0].bytes);
    }
    assert_int_equal(
        atls_cocos_evidence_write(&blob, (atls_buf){a->nonce, 32}, &claims, &claims_len, NULL),
        ATLS_OK);
    const atls_cocos_payload payload = {.evidence = {claims, claims_len},
                                        .aik_pub_hash = {a->aik, a->len},
                                        .binding = {a->binding, a->len}};
    assert_int_equal(atls_cocos_payload_write(&payload, out, len, NULL), ATLS_OK);
    free(claims);
    atls_evidence_blob_clear(&blob);
}

static void make_authenticator(play *p, const reply *a, uint8_t **out, size_t *len)
{
    uint8_t *payload = NULL;
    size_t payload_len = 0;
    make_payload(p, a, &payload, &payload_len);
    atls_buf cmw = {payload, a->no_extension ? 0 : payload_len};
    if (a->json != NULL) {
        cmw = (atls_buf){(const uint8_t *)a->json, strlen(a->json)};
    }
    assert_int_equal(atls_ea_build(&p->evil.keys, &a->request, &a->key->leaf, 1, a->key->key, cmw,
                                   ATLS_EA_CMW_TYPE, out, len, NULL),
                     ATLS_OK);
    free(payload);
}

static void send_reply(play *p, const reply *a)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (a->empty) {
        uint8_t space[4 + 48];
        atls_buf out;
        assert_int_equal(
            atls_ea_build_empty(&p->evil.keys, &a->request, space, sizeof space, &out, NULL),
            ATLS_OK);
        send_frame(p, ATLS_COCOS_AUTHENTICATOR, out.ptr, out.len);
        return;
    }
    make_authenticator(p, a, &bytes, &len);
    send_frame(p, ATLS_COCOS_AUTHENTICATOR, bytes, len);
    free(bytes);
}

/* --- the server lies --- */

static void an_honest_one_is_accepted(void **state)
{
    (void)state;
    reply a;
    uint8_t data[16];
    size_t n = 0;
    play *p = play_new(ATLS_CLIENT, NULL, NULL);
    read_frame(p, ATLS_COCOS_REQUEST);
    /* The request as deployed clients send it, byte for byte. */
    assert_int_equal(p->frame_len, 51);
    assert_memory_equal(p->header, "\x01\x00\x00\x00\x33", 5);
    assert_memory_equal(p->frame, "\x11\x00\x00\x2f\x20", 5);
    assert_memory_equal(p->frame + 37, "\x00\x0c\x00\x0d\x00\x04\x00\x02\x04\x03\xff\x00\x00\x00",
                        14);
    prepare(p, &a);
    send_reply(p, &a);
    evil_send_raw(&p->evil, (const uint8_t *)"hello", 5); /* right behind it: the application's */
    settle(p);
    assert_int_equal(p->victim.rc, ATLS_OK);
    assert_int_equal(rig_read(&p->victim, data, sizeof data, &n), ATLS_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(data, "hello", 5);
    play_free(p);
}

/* The first bytes of the signature over the quote of a TD: behind header and body, and a length. */
static void spoil_signature(uint8_t *quote)
{
    quote[48 + 584 + 4] ^= 1;
}

static void other_report_data(reply *a)
{
    a->wide[0] ^= 1;
}

static void binder_as_it_is(reply *a) /* what is hashed into report data, unhashed */
{
    memset(a->wide, 0, sizeof a->wide);
    memcpy(a->wide, a->binder, a->len);
}

static void hash_of_exporter(reply *a) /* without the key */
{
    (void)!atls_digest(ATLS_SHA512, &(atls_buf){a->exported, 32}, 1, a->wide, NULL);
}

static void no_report_data(reply *a)
{
    memset(a->wide, 0, sizeof a->wide);
}

static void other_aik(reply *a)
{
    a->aik[a->len - 1] ^= 1;
}

static void other_binding(reply *a)
{
    a->binding[0] ^= 1;
}

static void longer_binding(reply *a)
{
    a->len = 48 - a->len + 32; /* the other hash's length */
}

static void other_nonce(reply *a)
{
    a->nonce[31] ^= 1;
}

static void empty(reply *a)
{
    a->empty = true;
}

static void no_extension(reply *a)
{
    a->no_extension = true;
}

static void unsigned_evidence(reply *a)
{
    a->spoil = spoil_signature;
}

static void results_alone(reply *a)
{
    a->json = "{\"version\":1,\"attestation_results\":\"AQID\",\"binder\":{\"aik_pub_hash\":"
              "\"AQI=\",\"binding\":\"AwQF\"}}";
}

static void no_json(reply *a)
{
    a->json = "\x83";
}

static const struct {
    const char *what;
    void (*change)(reply *a);
    atls_code code;
    const char *check;
} lies[] = {
    {"the binder is right, and the report data is another's", other_report_data, ATLS_E_BINDING,
     "binding.report_data"},
    {"report data is the binder itself", binder_as_it_is, ATLS_E_BINDING, "binding.report_data"},
    {"report data leaves out the key", hash_of_exporter, ATLS_E_BINDING, "binding.report_data"},
    {"report data of zeros", no_report_data, ATLS_E_BINDING, "binding.report_data"},
    {"aik_pub_hash of another key", other_aik, ATLS_E_BINDING, "cocos.aik_pub_hash"},
    {"a binding of another connection", other_binding, ATLS_E_BINDING, "cocos.binding"},
    {"hashes of another length", longer_binding, ATLS_E_BINDING, "cocos.aik_pub_hash"},
    {"eat_nonce of another connection", other_nonce, ATLS_E_BINDING, "cocos.nonce"},
    {"an authenticated refusal", empty, ATLS_E_POLICY, "session.no_evidence"},
    {"a certificate alone", no_extension, ATLS_E_POLICY, "session.no_evidence"},
    {"a quote that nobody signed", unsigned_evidence, ATLS_E_INVALID, "quote.signature"},
    {"attestation results alone", results_alone, ATLS_E_BINDING, "cocos.payload.results"},
    {"a CMW", no_json, ATLS_E_INVALID, "cocos.payload.json"},
};

static void each_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        reply a;
        print_message("%s\n", lies[i].what);
        play *p = play_new(ATLS_CLIENT, NULL, NULL);
        read_frame(p, ATLS_COCOS_REQUEST);
        prepare(p, &a);
        lies[i].change(&a);
        send_reply(p, &a);
        assert_ends(p, lies[i].code, lies[i].check);
        play_free(p);
    }
}

static void each_wrong_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *check;
    } rows[] = {
        {"HTTP/1.1 200 OK", 15, "cocos.frame.type"}, /* data before the authenticator */
        {"\x00\x00\x00\x00\x10", 5, "cocos.frame.type"},
        {"\x03\x00\x00\x00\x10", 5, "cocos.frame.type"},
        {"\x02\x01\x00\x00\x01", 5, "cocos.frame.length"},
        {"\x02\x00\x00\x00\x00", 5, "cocos.frame.length"},
        {"\x02\x00\x00\x00\x04\x14\x00\x00\x00", 9, "authenticator.malformed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        play *p = play_new(ATLS_CLIENT, NULL, NULL);
        read_frame(p, ATLS_COCOS_REQUEST);
        evil_send_raw(&p->evil, (const uint8_t *)rows[i].bytes, rows[i].len);
        settle(p);
        rig_assert_failed(&p->victim, ATLS_E_INVALID, rows[i].check);
        play_free(p);
    }
}

static void our_own_request_sent_back(void **state)
{
    (void)state;
    play *p = play_new(ATLS_CLIENT, NULL, NULL);
    read_frame(p, ATLS_COCOS_REQUEST);
    send_frame(p, ATLS_COCOS_REQUEST, p->frame, p->frame_len);
    assert_ends(p, ATLS_E_INVALID, "cocos.frame.type");
    play_free(p);
}

static void another_key_than_that_of_tls(void **state)
{
    (void)state;
    reply a;
    play *p = play_new(ATLS_CLIENT, NULL, NULL);
    atls_config *other = atls_config_new();
    assert_int_equal(atls_config_make_identity(other, RIG_WHEN_S, NULL), ATLS_OK);
    read_frame(p, ATLS_COCOS_REQUEST);
    p->evil.identity = other;
    prepare(p, &a);
    send_reply(p, &a);
    assert_ends(p, ATLS_E_BINDING, "session.key");
    p->evil.identity = p->evil.own;
    play_free(p);
    atls_config_free(other);
}

/* --- from one connection to another --- */

static void an_authenticator_of_another_connection(void **state)
{
    (void)state;
    reply a;
    uint8_t *bytes = NULL;
    size_t len = 0;
    play *p = play_new(ATLS_CLIENT, NULL, NULL);
    play *q = play_new(ATLS_CLIENT, NULL, &(evil_options){.identity = p->evil.own});
    read_frame(p, ATLS_COCOS_REQUEST);
    read_frame(q, ATLS_COCOS_REQUEST);
    prepare(p, &a);
    make_authenticator(p, &a, &bytes, &len);
    send_frame(q, ATLS_COCOS_AUTHENTICATOR, bytes, len); /* replayed */
    assert_ends(q, ATLS_E_BINDING, "authenticator.context");
    free(bytes);
    play_free(q);
    play_free(p);
}

/* Who stole the TLS key of an honest attester, and asks it for evidence over a connection of his own. */
static void a_relay_with_the_stolen_key(void **state)
{
    (void)state;
    for (int mended = 0; mended < 3; mended++) {
        reply a;
        atls_ea ea;
        atls_ea_request asked;
        play *honest = play_new(ATLS_SERVER, NULL, NULL);
        play *p = play_new(ATLS_CLIENT, NULL, &(evil_options){.identity = honest->victim.config});
        read_frame(p, ATLS_COCOS_REQUEST);
        send_frame(honest, ATLS_COCOS_REQUEST, p->frame, p->frame_len);
        read_frame(honest, ATLS_COCOS_AUTHENTICATOR);
        prepare(p, &a);
        if (mended == 0) { /* as it is */
            send_frame(p, ATLS_COCOS_AUTHENTICATOR, honest->frame, honest->frame_len);
            assert_ends(p, ATLS_E_BINDING, "authenticator.finished");
        } else { /* the evidence, in an authenticator signed with the stolen key; then with our binder beside it, too */
            atls_carried c = {0};
            atls_cocos_payload payload;
            uint8_t *json = NULL;
            uint8_t *bytes = NULL;
            size_t json_len = 0;
            size_t len = 0;
            assert_int_equal(atls_ea_request_parse((atls_buf){p->frame, p->frame_len},
                                                   ATLS_EA_SERVER, ATLS_EA_CMW_TYPE, &asked, NULL),
                             ATLS_OK);
            assert_int_equal(atls_ea_parse((atls_buf){honest->frame, honest->frame_len}, &asked,
                                           ATLS_EA_CMW_TYPE, &ea, NULL),
                             ATLS_OK);
            assert_int_equal(atls_ea_verify(&honest->evil.keys, &asked, &ea, NULL), ATLS_OK);
            assert_int_equal(atls_cocos_payload_parse(ea.cmw, &c, &payload, NULL), ATLS_OK);
            if (mended == 2) {
                payload.binding = (atls_buf){a.binder, a.len};
                /* eat_nonce stands at a fixed place of the claims: map head, key, head of 32 bytes */
                uint8_t *claims = (uint8_t *)(uintptr_t)payload.evidence.ptr;
                memcpy(claims + 4, a.nonce, 32);
            }
            assert_int_equal(atls_cocos_payload_write(&payload, &json, &json_len, NULL), ATLS_OK);
            assert_int_equal(atls_ea_build(&p->evil.keys, &a.request, &a.key->leaf, 1, a.key->key,
                                           (atls_buf){json, json_len}, ATLS_EA_CMW_TYPE, &bytes,
                                           &len, NULL),
                             ATLS_OK);
            send_frame(p, ATLS_COCOS_AUTHENTICATOR, bytes, len);
            assert_ends(p, ATLS_E_BINDING, mended == 1 ? "cocos.binding" : "binding.report_data");
            free(bytes);
            free(json);
            atls_carried_clear(&c);
        }
        play_free(p);
        play_free(honest);
    }
}

/* --- the client lies --- */

static size_t make_request(uint8_t *out, size_t context_len, uint16_t scheme, bool wants,
                           uint16_t type)
{
    uint8_t context[64] = {1, 2, 3};
    const size_t extensions = wants ? 12 : 8;
    atls_writer w = atls_writer_of(out, 256);
    atls_writer_u8(&w, 17);
    atls_writer_u24be(&w, (uint32_t)(1 + context_len + 2 + extensions));
    atls_writer_u8(&w, (uint8_t)context_len);
    atls_writer_bytes(&w, (atls_buf){context, context_len});
    atls_writer_u16be(&w, (uint16_t)extensions);
    atls_writer_u16be(&w, 13);
    atls_writer_u16be(&w, 4);
    atls_writer_u16be(&w, 2);
    atls_writer_u16be(&w, scheme);
    if (wants) {
        atls_writer_u16be(&w, type);
        atls_writer_u16be(&w, 0);
    }
    return w.len;
}

static void each_request(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t context_len;
        uint16_t scheme;
        bool wants;
        uint16_t cmw_type;
        uint8_t frame;
        const char *behind;
        atls_code code; /* ATLS_OK: answered */
        const char *check;
    } rows[] = {
        {"as deployed", 32, 0x0403, true, 0xff00, 1, "", ATLS_OK, ""},
        {"a context of 16 bytes", 16, 0x0403, true, 0xff00, 1, "", ATLS_OK, ""},
        {"a context of 15 bytes", 15, 0x0403, true, 0xff00, 1, "", ATLS_E_INVALID,
         "request.context"},
        {"no context", 0, 0x0403, true, 0xff00, 1, "", ATLS_E_INVALID, "request.context"},
        {"a scheme that our key is not for", 32, 0x0807, true, 0xff00, 1, "", ATLS_E_USAGE,
         "authenticator.no_scheme"},
        {"no scheme that we know", 32, 0x0401, true, 0xff00, 1, "", ATLS_E_INVALID,
         "request.signature_algorithms"},
        {"it does not want evidence", 32, 0x0403, false, 0, 1, "", ATLS_E_INVALID, "cocos.request"},
        {"another code point", 32, 0x0403, true, 0xffff, 1, "", ATLS_E_INVALID, "cocos.request"},
        {"an authenticator's frame", 32, 0x0403, true, 0xff00, 2, "", ATLS_E_INVALID,
         "cocos.frame.type"},
        {"data behind it", 32, 0x0403, true, 0xff00, 1, "GET / HTTP/1.1", ATLS_E_INVALID,
         "cocos.early_data"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[ATLS_COCOS_HEADER + 256];
        print_message("%s\n", rows[i].what);
        play *p = play_new(ATLS_SERVER, NULL, NULL);
        size_t len = make_request(bytes + ATLS_COCOS_HEADER, rows[i].context_len, rows[i].scheme,
                                  rows[i].wants, rows[i].cmw_type);
        atls_cocos_frame_write(rows[i].frame, (uint32_t)len, bytes);
        len += ATLS_COCOS_HEADER;
        memcpy(bytes + len, rows[i].behind, strlen(rows[i].behind));
        evil_send_raw(&p->evil, bytes, len + strlen(rows[i].behind));
        if (rows[i].code == ATLS_OK) {
            read_frame(p, ATLS_COCOS_AUTHENTICATOR);
            assert_int_equal(p->victim.rc, ATLS_OK);
        } else {
            settle(p);
            rig_assert_failed(&p->victim, rows[i].code, rows[i].check);
        }
        play_free(p);
    }
}

static void a_request_that_is_too_long(void **state)
{
    (void)state;
    play *p = play_new(ATLS_SERVER, NULL, NULL);
    evil_send_raw(&p->evil, (const uint8_t *)"\x01\x00\x00\x10\x01", 5);
    settle(p);
    rig_assert_failed(&p->victim, ATLS_E_INVALID, "cocos.frame.length");
    play_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_one_is_accepted),
        cmocka_unit_test(each_lie),
        cmocka_unit_test(each_wrong_beginning),
        cmocka_unit_test(our_own_request_sent_back),
        cmocka_unit_test(another_key_than_that_of_tls),
        cmocka_unit_test(an_authenticator_of_another_connection),
        cmocka_unit_test(a_relay_with_the_stolen_key),
        cmocka_unit_test(each_request),
        cmocka_unit_test(a_request_that_is_too_long),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return rc;
}
