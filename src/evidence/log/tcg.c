#include "evidence/log/tcg.h"

#include "base/err.h"

#define SHA1_LEN    20
#define RECORD_HEAD 12 /* index, type, number of digests */
#define PADDING     0xffffffffu
#define DIGEST_MAX  64
#define SIGNATURE   16

static const uint8_t spec_id[SIGNATURE] = {'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ',
                                           'E', 'v', 'e', 'n', 't', '0', '3', 0};

/*@ requires valid_buf(bytes);
    assigns \nothing; */
static bool is_spec_id(atls_buf bytes)
{
    if (bytes.len != SIGNATURE) {
        return false;
    }
    /*@ loop invariant 0 <= i <= SIGNATURE;
        loop assigns i;
        loop variant SIGNATURE - i; */
    for (size_t i = 0; i < SIGNATURE; i++) {
        if (bytes.ptr[i] != spec_id[i]) {
            return false;
        }
    }
    return true;
}

bool atls_tcg_looks(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    uint32_t index = atls_reader_u32le(&r);
    uint32_t type = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, SHA1_LEN + 4);
    /* An older log may begin with any event of PCR 0: EV_S_CRTM_VERSION, for one. */
    return atls_reader_ok(&r) && index <= 4 && (type == ATLS_EV_NO_ACTION || type == 8);
}

/* The bank of an algorithm; ATLS_TPM_BANKS: none of ours. */
/*@ assigns \nothing;
    ensures 0 <= \result <= ATLS_TPM_BANKS; */
static unsigned bank_of(uint16_t id)
{
    switch (id) {
    case 0x0004:
        return ATLS_TPM_SHA1;
    case 0x000b:
        return ATLS_TPM_SHA256;
    case 0x000c:
        return ATLS_TPM_SHA384;
    case 0x000d:
        return ATLS_TPM_SHA512;
    default:
        return ATLS_TPM_BANKS;
    }
}

/* The size of a bank's digests; 0: any. */
/*@ assigns \nothing; */
static uint16_t len_of(unsigned bank)
{
    switch (bank) {
    case ATLS_TPM_SHA1:
        return 20;
    case ATLS_TPM_SHA256:
        return 32;
    case ATLS_TPM_SHA384:
        return 48;
    case ATLS_TPM_SHA512:
        return 64;
    default:
        return 0;
    }
}

/* Where id stands in the table; n: nowhere. */
/*@ requires n <= ATLS_TCG_ALGORITHMS_MAX && \valid_read(table + (0 .. n - 1));
    assigns \nothing;
    ensures 0 <= \result <= n; */
static uint32_t find(const atls_tcg_algorithm *table, uint32_t n, uint16_t id)
{
    /*@ loop invariant 0 <= i <= n;
        loop assigns i;
        loop variant n - i; */
    for (uint32_t i = 0; i < n; i++) {
        if (table[i].id == id) {
            return i;
        }
    }
    return n;
}

/*@ requires valid_reader(r) && \valid(log) && (err == \null || \valid(err)) && \separated(r, log, err);
    requires n <= ATLS_TCG_ALGORITHMS_MAX;
    assigns *r, log->algorithms_n, log->algorithms[0 .. ATLS_TCG_ALGORITHMS_MAX - 1], *err;
    ensures valid_reader(r);
    ensures \result == ATLS_OK ==> log->algorithms_n == n; */
static atls_code read_algorithms(atls_reader *r, uint32_t n, atls_tcg_log *log, atls_err *err)
{
    log->algorithms_n = 0;
    /*@ loop invariant 0 <= i <= n && valid_reader(r);
        loop assigns i, *r, log->algorithms[0 .. ATLS_TCG_ALGORITHMS_MAX - 1], *err;
        loop variant n - i; */
    for (uint32_t i = 0; i < n; i++) {
        const uint16_t id = atls_reader_u16le(r);
        const uint16_t len = atls_reader_u16le(r);
        const uint16_t wanted = len_of(bank_of(id));
        if (!atls_reader_ok(r) || len == 0 || len > DIGEST_MAX || (wanted != 0 && len != wanted)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "log.algorithm",
                            "algorithm 0x%04x with digests of %u bytes, where the standard has %u",
                            (unsigned)id, (unsigned)len, (unsigned)wanted);
        }
        if (find(log->algorithms, i, id) < i) {
            return ATLS_ERR(err, ATLS_E_INVALID, "log.algorithm",
                            "algorithm 0x%04x stands two times in the log's first record",
                            (unsigned)id);
        }
        log->algorithms[i].id = id;
        log->algorithms[i].len = len;
    }
    log->algorithms_n = n;
    return ATLS_OK;
}

/* The first event's data. Platform class, versions and the size of a UINTN are ignored, they change nothing in what
 * follows. */
/*@ requires sound_reader(r) && \valid(log) && (err == \null || \valid(err)) && \separated(log, err);
    assigns log->algorithms_n, log->algorithms[0 .. ATLS_TCG_ALGORITHMS_MAX - 1], *err;
    ensures \result == ATLS_OK ==> log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX; */
static atls_code read_spec_id(atls_reader r, uint32_t type, atls_tcg_log *log, atls_err *err)
{
    if (type != ATLS_EV_NO_ACTION || !is_spec_id(atls_reader_view(&r, SIGNATURE))) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "log.legacy",
            "a log of SHA-1 digests only, where a crypto-agile one (\"Spec ID Event03\") "
            "is wanted");
    }
    (void)atls_reader_view(&r, 4 + 1 + 1 + 1 + 1);
    const uint32_t n = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r) || n == 0 || n > ATLS_TCG_ALGORITHMS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.algorithm",
                        "%u algorithms in the log's first record, where 1 to %d are taken",
                        (unsigned)n, ATLS_TCG_ALGORITHMS_MAX);
    }
    ATLS_TRY(read_algorithms(&r, n, log, err));
    (void)atls_reader_view(&r, atls_reader_u8(&r));
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.format",
                        "the log's first record does not end behind its vendor information");
    }
    return ATLS_OK;
}

/* The first record but for what it is there for, the algorithms: those go to log. */
/*@ requires valid_reader(r) && \valid(log) && (err == \null || \valid(err)) && \separated(r, log, err);
    assigns *r, log->algorithms_n, log->algorithms[0 .. ATLS_TCG_ALGORITHMS_MAX - 1], *err;
    ensures valid_reader(r);
    ensures forward{Pre, Post}(r);
    ensures \result == ATLS_OK ==> log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX; */
static atls_code read_first(atls_reader *r, atls_tcg_log *log, atls_err *err)
{
    (void)atls_reader_u32le(r); /* 0; some firmware of TDs writes 1 */
    const uint32_t type = atls_reader_u32le(r);
    (void)atls_reader_view(r, SHA1_LEN); /* nothing is extended with it */
    const uint32_t size = atls_reader_u32le(r);
    /*@ assert valid_reader(r) && forward{Pre, Here}(r); */
    const atls_reader inside = atls_reader_sub(r, size);
    if (!atls_reader_ok(r) || size > ATLS_TCG_DATA_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.format",
                        "the log's first record, of %u bytes, does not fit", (unsigned)size);
    }
    return read_spec_id(inside, type, log, err);
}

atls_code atls_tcg_open(atls_buf bytes, atls_tcg_log *out, atls_err *err)
{
    atls_tcg_log log;
    atls_reader r = atls_reader_of(bytes);
    ATLS_TRY(read_first(&r, &log, err));
    log.left = r;
    log.events = 0;
    *out = log;
    return ATLS_OK;
}

/* Digests behind their count; each algorithm at most once, and only those of the first record. */
/*@ requires valid_reader(r) && \valid_read(log) && log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX;
    requires (err == \null || \valid(err)) && \separated(r, log, err);
    assigns *r, *err;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static atls_code skip_digests(atls_reader *r, const atls_tcg_log *log, uint32_t count,
                              atls_err *err)
{
    bool seen[ATLS_TCG_ALGORITHMS_MAX] = {false};
    if (count > log->algorithms_n) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.algorithm",
                        "an event with %u digests in a log of %u algorithms", (unsigned)count,
                        (unsigned)log->algorithms_n);
    }
    /*@ loop invariant 0 <= i <= count && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r, seen[0 .. ATLS_TCG_ALGORITHMS_MAX - 1], *err;
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t id = atls_reader_u16le(r);
        const uint32_t at = find(log->algorithms, log->algorithms_n, id);
        if (!atls_reader_ok(r) || at >= log->algorithms_n || seen[at]) {
            return ATLS_ERR(err, ATLS_E_INVALID, "log.algorithm",
                            "a digest of algorithm 0x%04x, which the log's first record does not "
                            "have, or the event has two times",
                            (unsigned)id);
        }
        seen[at] = true;
        (void)atls_reader_view(r, log->algorithms[at].len);
    }
    return ATLS_OK;
}

atls_buf atls_tcg_digest(const atls_tcg_log *log, atls_buf digests, unsigned bank)
{
    static const atls_buf none;
    atls_reader r = atls_reader_of(digests);
    /*@ loop invariant 0 <= i <= log->algorithms_n && sound_reader(r) && \base_addr(r.ptr) == \base_addr(digests.ptr);
        loop assigns i, r;
        loop variant log->algorithms_n - i; */
    for (uint32_t i = 0; i < log->algorithms_n; i++) {
        const uint16_t id = atls_reader_u16le(&r);
        const uint32_t at = find(log->algorithms, log->algorithms_n, id);
        if (!atls_reader_ok(&r) || at >= log->algorithms_n) {
            return none;
        }
        const atls_buf value = atls_reader_view(&r, log->algorithms[at].len);
        if (bank_of(id) == bank) {
            return value;
        }
    }
    return none;
}

/* Less than the head of a record is left: is it all padding? */
/*@ requires valid_buf(rest);
    assigns \nothing; */
static bool is_padding(atls_buf rest)
{
    /*@ loop invariant 0 <= i <= rest.len;
        loop assigns i;
        loop variant rest.len - i; */
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] != rest.ptr[0] || (rest.ptr[i] != 0 && rest.ptr[i] != 0xff)) {
            return false;
        }
    }
    return true;
}

/* The last byte, or padding. An EV_NO_ACTION may have the padding's index too: it belongs to no register. */
/*@ requires sound_reader(left);
    assigns \nothing; */
static bool is_end(atls_reader left)
{
    if (left.left < RECORD_HEAD) {
        return is_padding(atls_reader_rest(&left));
    }
    const uint32_t index = atls_reader_u32le(&left);
    const uint32_t type = atls_reader_u32le(&left);
    const uint32_t count = atls_reader_u32le(&left);
    return (index == PADDING && type != ATLS_EV_NO_ACTION) ||
           (index == 0 && type == 0 && count == 0);
}

/* The digests behind their count, as they stand. */
/*@ requires valid_reader(r) && \valid_read(log) && log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX;
    requires \valid(digests) && (err == \null || \valid(err)) && \separated(r, log, digests, err);
    assigns *r, *digests, *err;
    ensures valid_reader(r);
    ensures forward{Pre, Post}(r);
    ensures \result == ATLS_OK ==> valid_buf(*digests);
    ensures \result == ATLS_OK ==> part_of(*digests, r->ptr); */
static atls_code read_digests(atls_reader *r, const atls_tcg_log *log, uint32_t count,
                              atls_buf *digests, atls_err *err)
{
    atls_reader from = *r;
    ATLS_TRY(skip_digests(r, log, count, err));
    *digests = atls_reader_view(&from, from.left - r->left);
    return ATLS_OK;
}

/*@ requires valid_reader(r) && \valid_read(log) && log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX;
    requires \valid(e) && (err == \null || \valid(err)) && \separated(r, log, e, err);
    assigns *r, *e, *err;
    ensures valid_reader(r);
    ensures forward{Pre, Post}(r);
    ensures \result == ATLS_OK ==> valid_buf(e->digests);
    ensures \result == ATLS_OK ==> part_of(e->digests, r->ptr);
    ensures \result == ATLS_OK ==> valid_buf(e->data);
    ensures \result == ATLS_OK ==> part_of(e->data, r->ptr); */
static atls_code read_event(atls_reader *r, const atls_tcg_log *log, atls_tcg_event *e,
                            atls_err *err)
{
    e->index = atls_reader_u32le(r);
    e->type = atls_reader_u32le(r);
    const uint32_t count = atls_reader_u32le(r);
    /*@ assert valid_reader(r) && forward{Pre, Here}(r); */
    ATLS_TRY(read_digests(r, log, count, &e->digests, err));
    /*@ assert valid_reader(r) && forward{Pre, Here}(r); */
    const uint32_t size = atls_reader_u32le(r);
    e->data = atls_reader_view(r, size);
    if (!atls_reader_ok(r) || size > ATLS_TCG_DATA_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.format",
                        "event %u, of %u bytes, does not fit in the log", (unsigned)log->events,
                        (unsigned)size);
    }
    return ATLS_OK;
}

/*@ requires sound_tcg_log(log) && \valid(out) && (err == \null || \valid(err)) && \separated(log, out, err);
    assigns *log, *out, *err;
    ensures sound_tcg_log(log);
    ensures \result == ATLS_OK ==> valid_buf(out->digests);
    ensures \result == ATLS_OK ==> valid_buf(out->data); */
static atls_code take_event(atls_tcg_log *log, atls_tcg_event *out, atls_err *err)
{
    atls_reader r = log->left;
    atls_tcg_event e;
    ATLS_TRY(read_event(&r, log, &e, err));
    if (log->events >= ATLS_TCG_EVENTS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.events", "the log has more than %d events",
                        ATLS_TCG_EVENTS_MAX);
    }
    log->left = r;
    log->events++;
    *out = e;
    return ATLS_OK;
}

atls_code atls_tcg_next(atls_tcg_log *log, bool *more, atls_tcg_event *out, atls_err *err)
{
    if (is_end(log->left)) {
        *more = false;
        return ATLS_OK;
    }
    ATLS_TRY(take_event(log, out, err));
    *more = true;
    return ATLS_OK;
}
