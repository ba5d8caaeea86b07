/* keeper_state.h: the inside of a keeper: an entry for each key that it has to do with, and how each origin fares. */
#ifndef ATLS_NET_KEEPER_STATE_H
#define ATLS_NET_KEEPER_STATE_H

#include "net/keeper.h"

#define KEEPER_ENTRIES_MAX 16384 /* keys that are remembered; those of hostile evidence too */
#define KEEPER_JOBS_MAX    2048  /* items that are fetched at once */
#define KEEPER_BUCKETS     4096

#define KEEPER_ABSENT_MS 300000u /* how long absence is remembered */
#define KEEPER_FAILED_MS 5000u   /* and other failures */
#define KEEPER_IDLE_MS                                                                             \
    60000u /* an entry without a job is kept at least so long after its last one */
#define KEEPER_YIELD_MS      50u /* until one that let another go before looks again */
#define KEEPER_TURNS         256u
#define KEEPER_EVICT_MS      2000u /* a full table forgets what ended before, absence too */
#define KEEPER_RETRY_MS      500u  /* between rounds over the origins: doubled each time, */
#define KEEPER_RETRY_MAX_MS  8000u /* to this */
#define KEEPER_SHY_MS        1000u /* an origin that failed is asked after others for so long: doubled, */
#define KEEPER_SHY_MAX_MS    60000u /* to this */
#define KEEPER_ORIGIN_FLIGHT 8u     /* requests to one origin at a time */
#define KEEPER_TOLD_AFTER                                                                          \
    3u /* failures in a row, until people are told that an origin is unreachable */
#define KEEPER_SHARED_ASK_MS                                                                       \
    200u /* between questions to the second level while another host fetches */
#define KEEPER_SHARED_MAX_MS 10000u /* another host is waited for at most so long */

typedef enum keeper_phase {
    KEEPER_IDLE = 0, /* no job */
    KEEPER_SHARED,   /* the second level is to be asked */
    KEEPER_ORIGINS,  /* an origin is */
    KEEPER_BUSY      /* a question is under way */
} keeper_phase;

/* How telling a trouble is; a later one that tells as much replaces it. */
typedef enum keeper_rank {
    RANK_NONE = 0,
    RANK_SILENT,    /* no answer, 5xx */
    RANK_THROTTLED, /* 429, or its peace is longer than we have */
    RANK_ABSENT,
    RANK_REFUSED /* something came and does not hold */
} keeper_rank;

typedef struct keeper_entry keeper_entry;
struct keeper_entry {
    char key[ATLS_ITEM_KEY_LEN];
    keeper_entry *next_in_bucket;
    keeper_entry *before, *after; /* in the queue of jobs */
    keeper_entry *next_follow;    /* in the list of those with share_due or unlock_due */

    /* the job */
    keeper_phase phase;
    bool wanted; /* somebody waits for it; otherwise it goes on behind everybody's back */
    bool forced;
    bool was_held;
    uint32_t client; /* whose job it is; 0: our own */
    uint8_t was_sha256[32];
    uint64_t ticket;
    uint64_t deadline_ms, next_ms;
    uint64_t action; /* of BUSY */
    size_t origin;   /* likewise */
    unsigned round, attempts;
    uint32_t serving, tried,
        dropped; /* sets of origins: that have such items; asked in this round; out of the question */
    bool answered, absent; /* some origin did answer; said that there is none */
    bool silent;           /* some origin did not */
    bool asked_for_chain;  /* a VCEK: what signed it was missing, and is being fetched */
    bool lock_is_ours, share_due, unlock_due;
    uint64_t shared_until_ms;
    keeper_rank rank;
    atls_err trouble; /* the most telling so far */

    /* the last one that ended */
    uint64_t done_ticket;
    bool done_held;
    atls_err why;
    uint64_t finished_ms, failed_until_ms;

    /* renewal */
    int64_t renew_after_s;
    unsigned renew_failures;
    int64_t wanted_s;      /* when somebody wanted it last; 0: never */
    int64_t told_failed_s; /* and what: */
    const char *told_check;
    bool told_expired;
};

typedef struct keeper_origin {
    uint64_t peace_until_ms; /* not asked before, whoever wants what: it wants peace, */
    uint64_t gap_until_ms;   /* or we keep a distance between requests */
    uint64_t shy_until_ms;   /* others are asked first */
    unsigned in_flight;
    unsigned failures; /* in a row */
    int64_t silent_since_s;
    bool told_unreachable;
} keeper_origin;

struct atls_keeper {
    atls_store *store;
    atls_keeper_settings settings;
    keeper_origin origins[ATLS_ORIGINS_MAX];
    keeper_entry *buckets[KEEPER_BUCKETS];
    size_t entries, jobs;
    keeper_entry *first_job, *last_job;
    keeper_entry *follow;
    uint64_t tickets, actions;
    uint64_t turns,
        turn_of[KEEPER_TURNS]; /* by client: when it had its last at an origin that wants peace */
    uint32_t seed;             /* so that hosts renew at different times */
    bool keep;
    uint64_t scan_ms; /* next look through the store */
};

/* --- keeper_table.c --- */
keeper_entry *keeper_find(const atls_keeper *k, const char *key);
/* NULL: no memory, or no room and nothing that could be forgotten. */
keeper_entry *keeper_add(atls_keeper *k, const char *key, uint64_t now_ms);
void keeper_table_free(atls_keeper *k);
uint32_t keeper_hash(uint32_t seed, const char *key);

/* --- keeper_job.c --- */
bool keeper_held(const atls_keeper *k, const char *key, atls_item_status *out);
/* Is it held and in its time? A JWK set is, for a day since it was taken. */
bool keeper_in_time(const atls_keeper *k, const char *key, int64_t when_s);
/* False: too many jobs. */
bool keeper_start(atls_keeper *k, keeper_entry *e, bool wanted, bool forced, uint64_t now_ms,
                  int64_t when_s);
/* The job ends: taken, or for the trouble that stands in e. */
void keeper_finish(atls_keeper *k, keeper_entry *e, bool taken, const char *from, uint64_t now_ms,
                   int64_t when_s);
void keeper_trouble(keeper_entry *e, keeper_rank rank, const atls_err *why);
/* base * 2^n, at most max; the upper half of it is left to chance. */
uint32_t keeper_backoff(const atls_keeper *k, uint32_t base, uint32_t max, unsigned n);

/* --- keeper_chain.c: a VCEK is signed by an ASK, which is another item; AMD's own are compiled in, others are not --- */
#define KEEPER_CHAIN_MS 50u
/* Is e a VCEK whose chain is being fetched? Then it waits. */
bool keeper_waits_for_chain(const atls_keeper *k, const keeper_entry *e);
/* What has gone wrong with the chain that it waits for; NULL: nothing, or it does not. */
const atls_err *keeper_chain_trouble(const atls_keeper *k, const keeper_entry *e);
/* The chain that the store has for it, beside the item; *held is to be freed. */
void keeper_add_chain(const atls_keeper *k, const keeper_entry *e, atls_item *item,
                      atls_held **held);
/* It was refused for want of its chain: fetches that first. False: nothing of the kind. */
bool keeper_fetch_chain(atls_keeper *k, keeper_entry *e, const atls_err *why, uint64_t now_ms,
                        int64_t when_s);

/* --- keeper_choose.c --- */
typedef enum keeper_choice {
    CHOICE_ASK = 0, /* *origin */
    CHOICE_WAIT,    /* until e->next_ms, or until one of an origin's requests ends */
    CHOICE_NONE     /* nobody is left to ask */
} keeper_choice;
/* Should e, which may ask this origin now, let another job go before? Only where an origin wants a distance between requests: what many
 * need (a chain, a CRL) goes first, then whose client has waited longest for its turn. */
bool keeper_yields(const atls_keeper *k, const keeper_entry *e, size_t origin, uint64_t now_ms);
keeper_choice keeper_choose(atls_keeper *k, keeper_entry *e, uint64_t now_ms, size_t *origin);
void keeper_origin_failed(atls_keeper *k, size_t origin, bool throttled, uint32_t retry_after_s,
                          uint64_t now_ms, int64_t when_s);
void keeper_origin_answered(atls_keeper *k, size_t origin, int64_t when_s);

/* --- keeper_renew.c --- */
/* When an item that is held is due to be renewed; INT64_MAX: never. */
int64_t keeper_due(const atls_keeper *k, const atls_item_status *s);
/* Starts jobs for what is due; sets the time of the next look. */
void keeper_scan(atls_keeper *k, uint64_t now_ms, int64_t when_s);
/* After a job: when to try again, at the earliest. */
void keeper_plan(atls_keeper *k, keeper_entry *e, bool taken, uint64_t now_ms, int64_t when_s);

/* --- keeper_log.c: one line of JSON each --- */
void keeper_log_item(const atls_keeper *k, const char *event, const char *key, const char *from,
                     bool changed, int64_t when_s);
void keeper_log_trouble(const atls_keeper *k, const char *event, const char *key, const char *from,
                        const atls_err *why, int64_t when_s);
void keeper_log_origin(const atls_keeper *k, const char *event, const char *origin, int64_t seconds,
                       int64_t when_s);

#endif
