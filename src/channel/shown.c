#include "channel/shown.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/x509_field.h"

#define KEPT        8
#define SEEN        1024
#define SELF_SIGNED 1024
#define BLANKS      16 /* handshakes at one time that each find one */

typedef struct kept_certificate {
    const atls_binding *binding; /* NULL: free */
    X509 *leaf;
    EVP_PKEY *key;
    int64_t due_s, not_after_s;
    bool being_renewed;
} kept_certificate;

typedef struct seen_evidence {
    uint8_t sha256[32];
    int64_t first_s, last_s; /* last_s 0: free */
} seen_evidence;

typedef struct blank_certificate {
    const atls_binding *binding;
    X509 *blank; /* NULL: free */
} blank_certificate;

typedef struct self_signed_certificate {
    uint8_t sha256[32];
    bool is_set;
} self_signed_certificate;

struct atls_shown {
    pthread_mutex_t lock;
    blank_certificate blanks[BLANKS];
    kept_certificate kept[KEPT];
    seen_evidence seen[SEEN];
    self_signed_certificate self_signed[SELF_SIGNED]; /* each hash has one place */
};

atls_shown *atls_shown_new(void)
{
    atls_shown *shown = calloc(1, sizeof *shown);
    if (shown != NULL && pthread_mutex_init(&shown->lock, NULL) != 0) {
        free(shown);
        return NULL;
    }
    return shown;
}

static void drop(kept_certificate *k)
{
    X509_free(k->leaf);
    EVP_PKEY_free(k->key);
    memset(k, 0, sizeof *k);
}

void atls_shown_free(atls_shown *shown)
{
    if (shown == NULL) {
        return;
    }
    for (size_t i = 0; i < KEPT; i++) {
        drop(&shown->kept[i]);
    }
    for (size_t i = 0; i < BLANKS; i++) {
        X509_free(shown->blanks[i].blank);
    }
    (void)pthread_mutex_destroy(&shown->lock);
    free(shown);
}

static kept_certificate *find(atls_shown *shown, const atls_binding *binding)
{
    for (size_t i = 0; i < KEPT; i++) {
        if (shown->kept[i].binding == binding) {
            return &shown->kept[i];
        }
    }
    return NULL;
}

bool atls_shown_get(atls_shown *shown, const atls_binding *binding, int64_t when_s, X509 **leaf,
                    EVP_PKEY **key, bool *due)
{
    bool found = false;
    *due = false;
    (void)pthread_mutex_lock(&shown->lock);
    kept_certificate *k = find(shown, binding);
    if (k != NULL && when_s < k->not_after_s) {
        *due = when_s >= k->due_s && !k->being_renewed;
        k->being_renewed = k->being_renewed || *due;
        found = !*due && X509_up_ref(k->leaf) == 1;
        if (found && EVP_PKEY_up_ref(k->key) != 1) {
            X509_free(k->leaf);
            found = false;
        }
        *leaf = found ? k->leaf : NULL;
        *key = found ? k->key : NULL;
    }
    (void)pthread_mutex_unlock(&shown->lock);
    return found;
}

void atls_shown_put(atls_shown *shown, const atls_binding *binding, X509 *leaf, EVP_PKEY *key,
                    int64_t until_s)
{
    int64_t not_after_s = 0;
    if (!atls_x509_time(X509_get0_notAfter(leaf), &not_after_s)) {
        return;
    }
    (void)pthread_mutex_lock(&shown->lock);
    kept_certificate *k = find(shown, binding);
    k = k != NULL ? k : find(shown, NULL);
    if (k != NULL && X509_up_ref(leaf) == 1) {
        drop(k);
        *k = (kept_certificate){
            .binding = binding, .leaf = leaf, .due_s = until_s, .not_after_s = not_after_s};
        if (EVP_PKEY_up_ref(key) == 1) {
            k->key = key;
        } else {
            drop(k);
        }
    }
    (void)pthread_mutex_unlock(&shown->lock);
}

void atls_shown_gave_up(atls_shown *shown, const atls_binding *binding)
{
    (void)pthread_mutex_lock(&shown->lock);
    kept_certificate *k = find(shown, binding);
    if (k != NULL) {
        k->being_renewed = false;
    }
    (void)pthread_mutex_unlock(&shown->lock);
}

X509 *atls_shown_blank(atls_shown *shown, const atls_binding *binding, const EVP_PKEY *key)
{
    X509 *found = NULL;
    (void)pthread_mutex_lock(&shown->lock);
    for (size_t i = 0; i < BLANKS && found == NULL; i++) {
        blank_certificate *b = &shown->blanks[i];
        if (b->blank != NULL && b->binding == binding && X509_get0_pubkey(b->blank) == key) {
            found = b->blank;
            b->blank = NULL;
        }
    }
    (void)pthread_mutex_unlock(&shown->lock);
    return found;
}

void atls_shown_give_blank(atls_shown *shown, const atls_binding *binding, X509 *blank)
{
    (void)pthread_mutex_lock(&shown->lock);
    for (size_t i = 0; i < BLANKS && blank != NULL; i++) {
        if (shown->blanks[i].blank == NULL) {
            shown->blanks[i] = (blank_certificate){binding, blank};
            blank = NULL;
        }
    }
    (void)pthread_mutex_unlock(&shown->lock);
    X509_free(blank);
}

static self_signed_certificate *place_of(atls_shown *shown, const uint8_t sha256[32])
{
    return &shown->self_signed[(sha256[0] * 256u + sha256[1]) % SELF_SIGNED];
}

bool atls_shown_knows_signature(atls_shown *shown, const uint8_t sha256[32])
{
    (void)pthread_mutex_lock(&shown->lock);
    const self_signed_certificate *k = place_of(shown, sha256);
    const bool known = k->is_set && memcmp(k->sha256, sha256, 32) == 0;
    (void)pthread_mutex_unlock(&shown->lock);
    return known;
}

void atls_shown_learn_signature(atls_shown *shown, const uint8_t sha256[32])
{
    (void)pthread_mutex_lock(&shown->lock);
    self_signed_certificate *k = place_of(shown, sha256);
    memcpy(k->sha256, sha256, 32);
    k->is_set = true;
    (void)pthread_mutex_unlock(&shown->lock);
}

/* Its entry, seen now once more; NULL: there is none. */
static seen_evidence *see(atls_shown *shown, const uint8_t sha256[32], int64_t when_s)
{
    for (size_t i = 0; i < SEEN; i++) {
        seen_evidence *e = &shown->seen[i];
        if (e->last_s != 0 && memcmp(e->sha256, sha256, 32) == 0) {
            e->last_s = when_s;
            e->first_s = e->first_s < when_s ? e->first_s : when_s;
            return e;
        }
    }
    return NULL;
}

int64_t atls_shown_first_seen(atls_shown *shown, const uint8_t sha256[32], int64_t when_s)
{
    (void)pthread_mutex_lock(&shown->lock);
    const seen_evidence *e = see(shown, sha256, when_s);
    int64_t first_s = e != NULL ? e->first_s : when_s;
    (void)pthread_mutex_unlock(&shown->lock);
    return first_s;
}

void atls_shown_remember(atls_shown *shown, const uint8_t sha256[32], int64_t when_s)
{
    (void)pthread_mutex_lock(&shown->lock);
    if (see(shown, sha256, when_s) == NULL) {
        seen_evidence *oldest = &shown->seen[0];
        for (size_t i = 1; i < SEEN; i++) {
            oldest = shown->seen[i].last_s < oldest->last_s ? &shown->seen[i] : oldest;
        }
        memcpy(oldest->sha256, sha256, 32);
        oldest->first_s = oldest->last_s = when_s;
    }
    (void)pthread_mutex_unlock(&shown->lock);
}
