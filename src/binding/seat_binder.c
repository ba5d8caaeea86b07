#include "binding/seat_binder.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"

#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define MESSAGE_HASH 254
#define RANDOM_AT    6 /* header 4, version 2 */
#define LABEL_MAX    32

/* RFC 8446, 4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static bool is_retry(const uint8_t *bytes, size_t len)
{
    return len >= RANDOM_AT + sizeof retry_random &&
           memcmp(bytes + RANDOM_AT, retry_random, sizeof retry_random) == 0;
}

static bool is_complete(const atls_seat_hellos *h)
{
    return (h->n == 2 || h->n == 4) && !is_retry(h->at[h->n - 1].bytes, h->at[h->n - 1].len);
}

void atls_seat_hellos_add(atls_seat_hellos *h, atls_buf message)
{
    if (message.len == 0 || (message.ptr[0] != CLIENT_HELLO && message.ptr[0] != SERVER_HELLO) ||
        h->broken) {
        return;
    }
    const uint8_t wanted = h->n % 2 == 0 ? CLIENT_HELLO : SERVER_HELLO;
    const bool after_retry = h->n != 2 || is_retry(h->at[1].bytes, h->at[1].len);
    uint8_t *copy = NULL;
    if (h->n < 4 && message.ptr[0] == wanted && after_retry &&
        message.len <= ATLS_SEAT_MESSAGES_MAX) {
        copy = malloc(message.len);
    }
    if (copy == NULL) {
        h->broken = true;
        return;
    }
    memcpy(copy, message.ptr, message.len);
    h->at[h->n].bytes = copy;
    h->at[h->n].len = message.len;
    h->n++;
}

void atls_seat_hellos_clear(atls_seat_hellos *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->at[i].bytes);
    }
    memset(h, 0, sizeof *h);
}

atls_code atls_seat_transcript(const atls_seat_hellos *h, atls_hash hash,
                               uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err)
{
    if (h->broken || !is_complete(h)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "seat_early.transcript",
                        "the handshake up to ServerHello is not there whole");
    }
    atls_buf pieces[5];
    size_t n = 0;
    uint8_t first[4 + ATLS_SEAT_BINDER_MAX] = {MESSAGE_HASH, 0, 0, (uint8_t)atls_hash_len(hash)};
    size_t i = 0;
    if (h->n == 4) {
        const atls_buf hello = {h->at[0].bytes, h->at[0].len};
        ATLS_TRY(atls_digest(hash, &hello, 1, first + 4, err));
        pieces[n++] = (atls_buf){first, 4 + atls_hash_len(hash)};
        i = 1;
    }
    for (; i < h->n; i++) {
        pieces[n++] = (atls_buf){h->at[i].bytes, h->at[i].len};
    }
    return atls_digest(hash, pieces, n, out, err);
}

/* HKDF-Expand-Label of RFC 8446, 7.1, for as many bytes as the hash has: one block of HKDF-Expand. */
static atls_code expand_label(atls_hash hash, const uint8_t *secret, const char *label,
                              const uint8_t *context, uint8_t *out, atls_err *err)
{
    static const char prefix[] = "tls13 ";
    const size_t len = atls_hash_len(hash);
    uint8_t info[2 + 1 + LABEL_MAX + 1 + ATLS_SEAT_BINDER_MAX + 1];
    uint8_t block[ATLS_HASH_MAX];
    atls_writer w = atls_writer_of(info, sizeof info);
    atls_writer_u16be(&w, (uint16_t)len);
    atls_writer_u8(&w, (uint8_t)(strlen(prefix) + strlen(label)));
    atls_writer_text(&w, prefix);
    atls_writer_text(&w, label);
    atls_writer_u8(&w, (uint8_t)len);
    atls_writer_bytes(&w, (atls_buf){context, len});
    atls_writer_u8(&w, 1); /* the number of the block */
    const atls_buf piece = atls_writer_done(&w);
    ATLS_TRY(atls_hmac(hash, (atls_buf){secret, len}, &piece, 1, block, err));
    memcpy(out, block, len);
    return ATLS_OK;
}

atls_code atls_seat_base(atls_hash hash, const uint8_t *transcript,
                         uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err)
{
    static const uint8_t zeros[ATLS_SEAT_BINDER_MAX] = {0};
    return expand_label(hash, zeros, "attestation base", transcript, out, err);
}

atls_code atls_seat_binder(atls_hash hash, const uint8_t *base, atls_buf spki,
                           uint8_t out[ATLS_SEAT_BINDER_MAX], atls_err *err)
{
    uint8_t key[ATLS_HASH_MAX];
    ATLS_TRY(atls_digest(hash, &spki, 1, key, err));
    return expand_label(hash, base, "attestation", key, out, err);
}

atls_code atls_seat_report_data(atls_hash hash, const uint8_t *binder, atls_report_data *out,
                                atls_err *err)
{
    const atls_buf bytes = {binder, atls_hash_len(hash)};
    memset(out->wide, 0, sizeof out->wide);
    memcpy(out->wide, binder, bytes.len);
    if (bytes.len == sizeof out->narrow) {
        memcpy(out->narrow, binder, bytes.len);
        return ATLS_OK;
    }
    return atls_digest(ATLS_SHA256, &bytes, 1, out->narrow, err);
}
