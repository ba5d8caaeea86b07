#include "endpoint.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "input.h"
#include "say.h"
#include "sim_dir.h"

#define OPTION_NAME_MAX 32
#define PEM_MAX         ((size_t)256 * 1024)

enum { BINDING = 0x400, BINDING_OPTION, ATTEST, SIM, CERT, KEY, CA, SERVER_NAME, TIMEOUT };

const flag endpoint_flags[] = {
    {BINDING, "binding", "NAMES",
     "how evidence is carried and bound to the connection: names of docs/dialects.md, best first (atls/1)"},
    {BINDING_OPTION, "binding-option", "NAME=VALUE", "a setting of such a binding"},
    {ATTEST, "attest", "TYPE", "show evidence of this side too: as for `atls attest --type`"},
    {SIM, "sim", "DIR", "the simulated platform for --attest sim, made by `atls sim pki`"},
    {CERT, "cert", "FILE", "this side's certificate, its chain behind it (PEM)"},
    {KEY, "key", "FILE", "its private key (PEM)"},
    {CA, "ca", "FILE", "the peer's certificate must also come from one of these (PEM)"},
    {SERVER_NAME, "server-name", "NAME", "name wanted in the server's certificate, with --ca"},
    {TIMEOUT, "timeout", "SECONDS", "for connecting, and for TLS with attestation (10)"},
    {0, NULL, NULL, NULL},
};

static int wrong(const char *check, const char *sentence)
{
    (void)say_refusal(ATLS_E_USAGE, check, "%s", sentence);
    return FLAGS_WRONG;
}

int endpoint_setup_take(endpoint_setup *s, int id, char *arg)
{
    uint64_t seconds = 0;
    switch (id) {
    case BINDING:
        s->bindings = arg;
        return FLAGS_END;
    case BINDING_OPTION:
        if (s->options_n == ENDPOINT_OPTIONS || strchr(arg, '=') == NULL) {
            return wrong("usage.argument", "--binding-option wants NAME=VALUE, at most 16 times");
        }
        s->options[s->options_n++] = arg;
        return FLAGS_END;
    case ATTEST:
        s->source.type = arg;
        return FLAGS_END;
    case SIM:
        s->source.sim_dir = arg;
        return FLAGS_END;
    case CERT:
        s->cert = arg;
        return FLAGS_END;
    case KEY:
        s->key = arg;
        return FLAGS_END;
    case CA:
        s->ca = arg;
        return FLAGS_END;
    case SERVER_NAME:
        s->server_name = arg;
        return FLAGS_END;
    case TIMEOUT:
        if (!input_number(arg, 1, 3600, &seconds)) {
            return wrong("usage.argument", "--timeout wants seconds, 1 to 3600");
        }
        s->timeout_ms = (uint32_t)(seconds * 1000);
        return FLAGS_END;
    default:
        if (verifier_setup_take(&s->verifier, id, arg) ||
            evidence_source_take(&s->source, id, arg) ||
            sim_quote_take(&s->source.quote, id, arg)) {
            return FLAGS_END;
        }
        return 0;
    }
}

static atls_code unusable(const char *path, const char *what, atls_err *err)
{
    ERR_clear_error();
    return fill_err(err, ATLS_E_USAGE, "identity.pem", "%s: %s", path, what);
}

/* PEM without a passphrase prompt: a program that serves cannot ask. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static atls_code read_key(const char *path, EVP_PKEY **out, atls_err *err)
{
    input in = {0};
    atls_code rc = input_read(path, PEM_MAX, ATLS_E_USAGE, "identity.size", &in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    BIO *bio = BIO_new_mem_buf(in.bytes, (int)in.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    input_clear(&in);
    if (key == NULL) {
        return unusable(path, "there is no private key in it that can be read (PEM, not encrypted)",
                        err);
    }
    *out = key;
    return ATLS_OK;
}

static atls_code read_identity(const endpoint_setup *s, endpoint *e, atls_err *err)
{
    if (s->cert == NULL || s->key == NULL) {
        return fill_err(err, ATLS_E_USAGE, "usage.identity", "--cert and --key belong together");
    }
    EVP_PKEY *key = NULL;
    atls_code rc = read_key(s->key, &key, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (SSL_CTX_use_certificate_chain_file(e->ctx, s->cert) != 1) {
        rc = unusable(s->cert, "there is no certificate in it that can be read (PEM)", err);
    } else if (SSL_CTX_use_PrivateKey(e->ctx, key) != 1) {
        rc = unusable(s->key, "the key is not that of the certificate", err);
    } else {
        rc = atls_config_set1_identity(e->config, SSL_CTX_get0_certificate(e->ctx), key, err);
    }
    EVP_PKEY_free(key);
    return rc;
}

atls_code endpoint_set_bindings(atls_config *c, const char *bindings, char *const *options,
                                size_t options_n, atls_err *err)
{
    atls_code rc = bindings != NULL ? atls_config_set_bindings(c, bindings, err) : ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && i < options_n; i++) {
        char name[OPTION_NAME_MAX + 1];
        size_t len = strcspn(options[i], "=");
        if (len > OPTION_NAME_MAX) {
            return fill_err(err, ATLS_E_USAGE, "config.option", "no binding has such a setting: %s",
                            options[i]);
        }
        memcpy(name, options[i], len);
        name[len] = '\0';
        rc = atls_config_set_option(c, name, options[i] + len + 1, err);
    }
    return rc;
}

static atls_code fill_context(const endpoint_setup *s, atls_role role, endpoint *e, atls_err *err)
{
    e->ctx = SSL_CTX_new(role == ATLS_CLIENT ? TLS_client_method() : TLS_server_method());
    e->config = atls_config_new();
    if (e->ctx == NULL || e->config == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    atls_code rc = endpoint_set_bindings(e->config, s->bindings, s->options, s->options_n, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (s->cert != NULL || s->key != NULL) {
        rc = read_identity(s, e, err);
    } else if (role == ATLS_SERVER || s->source.type != NULL) {
        rc = atls_config_make_identity(e->config, (int64_t)time(NULL), err);
    }
    if (rc == ATLS_OK && s->ca != NULL && SSL_CTX_load_verify_file(e->ctx, s->ca) != 1) {
        rc = unusable(s->ca, "there is no CA certificate in it that can be read (PEM)", err);
    }
    return rc;
}

atls_code endpoint_open(endpoint_setup *s, atls_role role, bool ask, endpoint *out, atls_err *err)
{
    endpoint e = {.server_name = s->server_name, .pki = s->ca != NULL};
    atls_code rc =
        ask ? verifier_setup_make(&s->verifier, true, (int64_t)time(NULL), &e.kit, err) : ATLS_OK;
    if (rc == ATLS_OK) {
        rc = fill_context(s, role, &e, err);
    }
    if (rc == ATLS_OK && s->source.type != NULL) {
        evidence_source_name_certificate(&s->source, atls_config_get0_leaf(e.config));
        rc = evidence_source_open(&s->source, err);
    }
    if (rc == ATLS_OK) {
        if (e.kit.verifier != NULL) {
            atls_config_set0_verifier(e.config, e.kit.verifier);
        }
        if (e.kit.store != NULL) {
            atls_config_set0_store(e.config, e.kit.store,
                                   e.kit.fetcher != NULL ? verifier_kit_get : NULL, e.kit.fetcher);
        }
        if (s->source.attester != NULL) {
            atls_config_set0_attester(e.config, s->source.attester);
        }
        atls_config_set_timeout_ms(e.config, s->timeout_ms);
        rc = atls_config_apply(e.config, e.ctx, role, err);
    }
    if (rc != ATLS_OK) {
        endpoint_close(&e, s);
        return rc;
    }
    *out = e;
    return ATLS_OK;
}

void endpoint_close(endpoint *e, endpoint_setup *s)
{
    SSL_CTX_free(e->ctx);
    atls_config_free(e->config);
    verifier_kit_clear(&e->kit);
    evidence_source_close(&s->source);
    *e = (endpoint){0};
}
