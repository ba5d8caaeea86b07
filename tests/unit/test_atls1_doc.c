/* The byte vectors of docs/atls-1.md, made anew and compared with what stands there. After a change of the protocol
 * `test_atls1_doc print` writes the blocks as the document has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "base/hex.h"
#include "base/writer.h"
#include "binding/atls1.h"

#include "unit/fixed_exporter.h"
#include "unit/made_keys.h"

#define VECTORS_MAX 48
#define HEX_MAX     4096
#define LINE_HEX    96 /* digits in a line of the document */

typedef struct vector {
    char name[40];
    char hex[HEX_MAX];
} vector;

typedef struct vectors {
    vector at[VECTORS_MAX];
    size_t n;
} vectors;

static void add(vectors *v, const char *name, atls_buf bytes)
{
    if (v->n == VECTORS_MAX || 2 * bytes.len >= HEX_MAX) {
        abort();
    }
    vector *x = &v->at[v->n++];
    snprintf(x->name, sizeof x->name, "%s", name);
    atls_hex_encode(bytes, x->hex);
}

static void must(atls_code rc)
{
    if (rc != ATLS_OK) {
        abort();
    }
}

/* --- making --- */

typedef struct side {
    uint8_t role; /* 0 client, 1 server */
    const char *name;
    EVP_PKEY *key;
    X509 *leaf;
    atls_buf der;
    unsigned char *spki;
    int spki_len;
    uint8_t context[ATLS1_CONTEXT_LEN]; /* of the request that this side answers */
    uint8_t request[128];
    atls_ea_request q;
    uint8_t binder[48];
} side;

/* "request.server": a name with the side it belongs to. */
static void add_of(vectors *v, const char *what, const side *s, atls_buf bytes)
{
    char name[40];
    snprintf(name, sizeof name, "%s.%s", what, s->name);
    add(v, name, bytes);
}

static void make_side(vectors *v, side *s, uint8_t role, uint8_t seed, atls_exporter *exporter)
{
    uint8_t random[27];
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)((role == 1 ? 0xa0 : 0xc0) + i);
    }
    s->role = role;
    s->name = role == 1 ? "server" : "client";
    s->key = made_ed25519(seed);
    s->leaf = made_leaf(s->key, s->key);
    s->der = made_der(s->leaf);
    s->spki_len = i2d_PUBKEY(s->key, &s->spki);
    atls1_context(role == 1 ? 0 : 1, 0, random, s->context);
    const atls_ea_sender answered_by = role == 1 ? ATLS_EA_SERVER : ATLS_EA_CLIENT;
    const atls_buf context = {s->context, sizeof s->context};
    const atls_buf spki = {s->spki, (size_t)s->spki_len};
    atls_buf raw;
    must(atls_ea_request_build(answered_by, context, true, ATLS_EA_CMW_TYPE, s->request,
                               sizeof s->request, &raw, NULL));
    must(atls_ea_request_parse(raw, answered_by, ATLS_EA_CMW_TYPE, &s->q, NULL));
    must(atls_ea_binder(exporter, spki, context, s->binder, NULL));
    const atls_buf binder = {s->binder, 48};
    uint8_t report_data[64], leaf[32];
    must(atls1_report_data(role, binder, report_data, NULL));
    must(atls1_leaf(role, binder, leaf, NULL));
    add_of(v, "context_for", s, context);
    add_of(v, "request_to", s, raw);
    add_of(v, "certificate", s, s->der);
    add_of(v, "binder", s, binder);
    add_of(v, "report_data", s, (atls_buf){report_data, 64});
    add_of(v, "leaf", s, (atls_buf){leaf, 32});
}

static void free_side(side *s)
{
    OPENSSL_free((void *)(uintptr_t)s->der.ptr);
    OPENSSL_free(s->spki);
    X509_free(s->leaf);
    EVP_PKEY_free(s->key);
}

static const uint8_t quote[] = {0xde, 0xad, 0xbe, 0xef};
static const uint8_t event_log[] = {0x5b, 0x5d};

static void make_authenticators(vectors *v, const atls_ea_keys *keys, const side *server,
                                const side *client)
{
    atls1_payload p = {.evidence = {.type = "tdx", .parts_n = 2}};
    p.evidence.parts[0].name = "quote";
    p.evidence.parts[0].bytes = (atls_buf){quote, sizeof quote};
    p.evidence.parts[1].name = "event_log";
    p.evidence.parts[1].bytes = (atls_buf){event_log, sizeof event_log};
    uint8_t *cmw = NULL, *bytes = NULL;
    size_t cmw_len = 0, len = 0;
    must(atls1_payload_encode(&p, &cmw, &cmw_len, NULL));
    add(v, "payload", (atls_buf){cmw, cmw_len});
    X509 *chain[] = {server->leaf};
    must(atls_ea_build(keys, &server->q, chain, 1, server->key, (atls_buf){cmw, cmw_len},
                       ATLS_EA_CMW_TYPE, &bytes, &len, NULL));
    add(v, "authenticator.server", (atls_buf){bytes, len});
    uint8_t space[52];
    atls_buf empty;
    must(atls_ea_build_empty(keys, &client->q, space, sizeof space, &empty, NULL));
    add(v, "empty_authenticator.client", empty);
    free(cmw);
    free(bytes);
}

/* Leaf 0 the server's, leaf 1 the client's, leaf 2 of a third session whose binder is 48 times 0x33. */
static void make_batch(vectors *v, const side *server, const side *client)
{
    uint8_t leaves[3][32], binder[48], report_data[64], path[ATLS1_PATH_MAX];
    memset(binder, 0x33, sizeof binder);
    must(atls1_leaf(1, (atls_buf){server->binder, 48}, leaves[0], NULL));
    must(atls1_leaf(0, (atls_buf){client->binder, 48}, leaves[1], NULL));
    must(atls1_leaf(1, (atls_buf){binder, 48}, leaves[2], NULL));
    add(v, "leaf.third", (atls_buf){leaves[2], 32});
    atls1_tree *tree = NULL;
    must(atls1_tree_new((const uint8_t(*)[32])leaves, 3, &tree, NULL));
    for (uint32_t i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "path.%u", (unsigned)i);
        add(v, name, (atls_buf){path, atls1_tree_path(tree, i, path)});
    }
    add(v, "root", (atls_buf){atls1_tree_get0_root(tree), 32});
    must(atls1_batch_report_data(3, atls1_tree_get0_root(tree), report_data, NULL));
    add(v, "report_data.batch", (atls_buf){report_data, 64});
    atls1_payload p = {
        .evidence = {.type = "tdx", .parts_n = 1}, .batched = true, .index = 2, .size = 3};
    p.evidence.parts[0].name = "quote";
    p.evidence.parts[0].bytes = (atls_buf){quote, sizeof quote};
    p.path = (atls_buf){path, atls1_tree_path(tree, 2, path)};
    uint8_t *cmw = NULL;
    size_t len = 0;
    must(atls1_payload_encode(&p, &cmw, &len, NULL));
    add(v, "payload.batch", (atls_buf){cmw, len});
    free(cmw);
    atls1_tree_free(tree);
}

static void add_frame(vectors *v, const char *name, uint8_t type, atls_buf payload)
{
    uint8_t space[256];
    uint8_t header[ATLS1_FRAME_HEADER];
    atls1_frame_header_write(type, (uint32_t)payload.len, header);
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_bytes(&w, (atls_buf){header, sizeof header});
    atls_writer_bytes(&w, payload);
    add(v, name, atls_writer_done(&w));
}

static void make_frames(vectors *v, const side *server, const side *client)
{
    uint8_t verdict[1 + ATLS1_CONTEXT_LEN] = {0};
    add_frame(v, "frame.request", ATLS1_FRAME_REQUEST, server->q.raw);
    add_frame(v, "frame.asks_nothing", ATLS1_FRAME_VERDICT, (atls_buf){verdict, 1});
    memcpy(verdict + 1, server->context, ATLS1_CONTEXT_LEN);
    add_frame(v, "frame.accepted", ATLS1_FRAME_VERDICT, (atls_buf){verdict, sizeof verdict});
    verdict[0] = 1;
    memcpy(verdict + 1, client->context, ATLS1_CONTEXT_LEN);
    add_frame(v, "frame.refused", ATLS1_FRAME_VERDICT, (atls_buf){verdict, sizeof verdict});
    add_frame(v, "frame.data", ATLS1_FRAME_DATA, (atls_buf){(const uint8_t *)"hello", 5});
    add_frame(v, "frame.close", ATLS1_FRAME_CLOSE, (atls_buf){NULL, 0});
}

static void make(vectors *v)
{
    fixed_exporter fixed;
    atls_exporter exporter = fixed_exporter_of(&fixed, ATLS_SHA384, 0);
    atls_ea_keys keys;
    side server = {0}, client = {0};
    must(atls_ea_keys_derive(&exporter, &keys, NULL));
    make_side(v, &server, 1, 0x42, &exporter);
    make_side(v, &client, 0, 0x43, &exporter);
    make_authenticators(v, &keys, &server, &client);
    make_batch(v, &server, &client);
    make_frames(v, &server, &client);
    free_side(&server);
    free_side(&client);
}

/* --- reading the document --- */

#define FENCE "```vector "

static void read_document(vectors *v)
{
    char path[4096];
    const char *source = getenv("ATLS_SOURCE_ROOT");
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/docs/atls-1.md", source);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char line[1024];
    vector *x = NULL;
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, FENCE, strlen(FENCE)) == 0) {
            assert_true(v->n < VECTORS_MAX);
            x = &v->at[v->n++];
            snprintf(x->name, sizeof x->name, "%.39s", line + strlen(FENCE));
        } else if (strcmp(line, "```") == 0) {
            x = NULL;
        } else if (x != NULL) {
            assert_true(strlen(x->hex) + strlen(line) < sizeof x->hex);
            strcat(x->hex, line);
        }
    }
    fclose(f);
}

static void the_document_has_these_bytes(void **state)
{
    (void)state;
    vectors *made = calloc(1, sizeof *made);
    vectors *read = calloc(1, sizeof *read);
    make(made);
    read_document(read);
    assert_int_equal(read->n, made->n);
    for (size_t i = 0; i < made->n; i++) {
        assert_string_equal(read->at[i].name, made->at[i].name);
        if (strcmp(read->at[i].hex, made->at[i].hex) != 0) {
            fail_msg("%s is %s", made->at[i].name, made->at[i].hex);
        }
    }
    free(made);
    free(read);
}

static void print(void)
{
    vectors *v = calloc(1, sizeof *v);
    make(v);
    for (size_t i = 0; i < v->n; i++) {
        printf(FENCE "%s\n", v->at[i].name);
        const char *hex = v->at[i].hex;
        for (size_t at = 0; at < strlen(hex); at += LINE_HEX) {
            printf("%.*s\n", LINE_HEX, hex + at);
        }
        printf("```\n");
    }
    free(v);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        print();
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_document_has_these_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
