/* collateral_bundle.c: `atls collateral bundle` and `import`: collateral over an air gap. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include <atls/verifier.h>

#include "collateral_commands.h"
#include "input.h"
#include "output.h"
#include "say.h"

#define PEM_FILE_MAX ((size_t)64 * 1024)

enum { SIGN = 0x100, OUT, SIGNER, AT };

static const flag bundle_own[] = {
    {SIGN, "sign", "KEY.pem", "signs the bundle with this private key (P-256, P-384, Ed25519)"},
    {OUT, "out", "FILE", "where to write it; without it standard output"},
    {0, NULL, NULL, NULL},
};
static const flags bundle_flags = {
    "atls collateral bundle [--store DIR] [--sign KEY.pem] [--out FILE] [KEY]...",
    "Writes everything that the store has, or the items named, CRLs included, into one file for machines\n"
    "without a network. Key sets of tokens stay out: nobody signs them.",
    {bundle_own, collateral_room_flags},
};
static const flag import_own[] = {
    {SIGNER, "signer", "PUBLIC.pem", "takes only a bundle that this key has signed"},
    {AT, "at", "RFC3339", "judged as of that time"},
    {0, NULL, NULL, NULL},
};
static const flags import_flags = {
    "atls collateral import [--store DIR] [--signer PUBLIC.pem] FILE|-...",
    "Takes bundles, or collateral in JSON, into the store: a bundle whole or not at all, and nothing older\n"
    "than what was seen before.",
    {import_own, collateral_room_flags},
};

static int make_bundle(const collateral_room *room, const char *const *keys, const char *sign,
                       const char *out, int64_t now_s)
{
    input key = {0};
    atls_err err = {0};
    uint8_t *bytes = NULL;
    size_t len = 0;
    atls_code rc = sign != NULL
                       ? input_read(sign, PEM_FILE_MAX, ATLS_E_USAGE, "usage.argument", &key, &err)
                       : ATLS_OK;
    const atls_buf pem = input_buf(&key);
    if (rc == ATLS_OK) {
        rc = atls_store_bundle(room->store, keys, sign != NULL ? &pem : NULL, now_s, &bytes, &len,
                               &err);
    }
    if (rc == ATLS_OK) {
        rc = output_write(out, (atls_buf){bytes, len}, 0644, &err);
    }
    if (key.bytes != NULL) {
        OPENSSL_cleanse(key.bytes, key.len);
    }
    input_clear(&key);
    atls_free(bytes);
    return rc == ATLS_OK ? ATLS_OK : say_err(&err, sign);
}

int collateral_bundle(int argc, char **argv)
{
    collateral_room room = {0};
    const char *sign = NULL;
    const char *out = NULL;
    atls_err err = {0};
    const int64_t now_s = (int64_t)time(NULL);
    int id;
    flags_begin();
    while ((id = flags_next(&bundle_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
        sign = id == SIGN ? optarg : sign;
        out = id == OUT ? optarg : out;
        (void)collateral_room_take(&room, id, optarg);
    }
    if (collateral_room_open(&room, true, now_s, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    /* argv ends with a NULL, as the list of keys does. */
    const char *const *keys = optind < argc ? (const char *const *)(argv + optind) : NULL;
    const int status = make_bundle(&room, keys, sign, out, now_s);
    collateral_room_close(&room);
    return status;
}

static atls_code import_file(const collateral_room *room, const char *path, const atls_buf *signer,
                             int64_t when_s, atls_err *err)
{
    input in = {0};
    size_t taken = 0;
    atls_code rc = input_read_collateral(path, &in, err);
    if (rc == ATLS_OK && atls_store_bundle_looks(input_buf(&in))) {
        rc = atls_store_import(room->store, input_buf(&in), signer, path, when_s, &taken, err);
    } else if (rc == ATLS_OK && signer != NULL) {
        rc = fill_err(err, ATLS_E_INVALID, "store.bundle.unsigned",
                      "it is no bundle, and so has no signature");
    } else if (rc == ATLS_OK) {
        rc = atls_store_take_json(room->store, input_buf(&in), path, when_s, &taken, err);
    }
    input_clear(&in);
    if (rc == ATLS_OK) {
        printf("%s: %zu item%s taken\n", path, taken, taken == 1 ? "" : "s");
    }
    return rc;
}

int collateral_import(int argc, char **argv)
{
    collateral_room room = {0};
    const char *signer = NULL;
    input pem = {0};
    atls_err err = {0};
    int64_t when_s = (int64_t)time(NULL);
    int id;
    flags_begin();
    while ((id = flags_next(&import_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
        signer = id == SIGNER ? optarg : signer;
        if (id == AT && !input_time(optarg, &when_s)) {
            return say_refusal(ATLS_E_USAGE, "usage.argument",
                               "--at wants a time like 2025-07-04T10:00:00Z");
        }
        (void)collateral_room_take(&room, id, optarg);
    }
    if (optind == argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", import_flags.usage);
    }
    atls_code rc = signer != NULL ? input_read(signer, PEM_FILE_MAX, ATLS_E_USAGE, "usage.argument",
                                               &pem, &err)
                                  : ATLS_OK;
    rc = rc == ATLS_OK ? collateral_room_open(&room, false, when_s, &err) : rc;
    int status = rc == ATLS_OK ? ATLS_OK : say_err(&err, NULL);
    const atls_buf public_pem = input_buf(&pem);
    for (int i = optind; rc == ATLS_OK && i < argc && status == ATLS_OK; i++) {
        rc = import_file(&room, argv[i], signer != NULL ? &public_pem : NULL, when_s, &err);
        status = rc == ATLS_OK ? ATLS_OK : say_err(&err, argv[i]);
    }
    collateral_room_close(&room);
    input_clear(&pem);
    return status;
}
