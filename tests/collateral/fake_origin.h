/* fake_origin.h: an origin in C: items in, the answers of a PCCS and a KDS out, with or without a socket. */
#ifndef ATLS_TESTS_FAKE_ORIGIN_H
#define ATLS_TESTS_FAKE_ORIGIN_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/response.h"

typedef struct fake_answer {
    char key[ATLS_ITEM_KEY_LEN];
    char target[ATLS_URL_LEN]; /* path and query */
    char *headers;
    uint8_t *body;
    size_t body_len;
    atomic_uint asked;
} fake_answer;

#define FAKE_ANSWERS_MAX 1024

typedef struct fake_origin {
    fake_answer *answers[FAKE_ANSWERS_MAX];
    size_t n;
    pthread_mutex_t lock; /* of the answers */
    atomic_uint asked;    /* also for what is not there */
    unsigned delay_ms;    /* before each answer */

    /* with a socket */
    char dir[64], path[80];
    char text[96]; /* "unix:PATH" */
    int listener, stop[2];
    pthread_t threads[4];
} fake_origin;

void fake_origin_open(fake_origin *o);
void fake_origin_close(fake_origin *o);
/* What it has from now on; replaces an item of the same key. */
void fake_origin_put(fake_origin *o, const atls_item *item);
/* The answer to a key, without a socket; views until it is replaced. 404 for one that it has not. */
void fake_origin_answer(fake_origin *o, const char *key, atls_http_response *out);

void fake_origin_listen(fake_origin *o);
void fake_origin_hang_up(fake_origin *o);
unsigned fake_origin_asked(fake_origin *o, const char *key);

#endif
