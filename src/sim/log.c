/* log.c: which events a simulated machine measures, what its registers are then, and what a fault makes of its log. */
#include "sim/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"
#include "sim/log_form.h"

#define EV_SEPARATOR 4u

const atls_sim_world_fault sim_log_faults[] = {
    {"log.legacy", "the log is of SHA-1 digests only", "ccel pcrs", ATLS_E_INVALID, "log.legacy"},
    {"log.algorithm", "an event has a digest of an algorithm that the log does not name",
     "ccel pcrs", ATLS_E_INVALID, "log.algorithm"},
    {"log.cut", "the log ends inside its last event", "ccel pcrs", ATLS_E_INVALID, "log.format"},
    {"log.cut_json", "the log's last character is missing", "dstack", ATLS_E_INVALID, "log.json"},
    {"log.digest", "the digest of the first event is another", "ccel dstack", ATLS_E_INVALID,
     "log.rtmr0"},
    {"log.missing", "the first event is not in the log", "ccel dstack", ATLS_E_INVALID,
     "log.rtmr0"},
    {"log.added", "the log has an event of RTMR 1 that was not measured", "ccel dstack",
     ATLS_E_INVALID, "log.rtmr1"},
    {"log.cmdline", "the log has another kernel command line", "ccel dstack", ATLS_E_INVALID,
     "log.rtmr2"},
    {"log.extended", "RTMR 3 was extended by somebody who keeps no log", "ccel", ATLS_OK, ""},
    {"log.payload", "the payload of compose-hash is another, and its digest is left out", "dstack",
     ATLS_E_INVALID, "log.rtmr3"},
    {"log.runtime_digest", "the digest of compose-hash is not that of its payload", "dstack",
     ATLS_E_INVALID, "log.digest"},
    {"log.name", "a runtime event's name has a colon in it", "dstack", ATLS_E_INVALID, "log.name"},
    {"log.preimage", "the preimage of an event of version 2 is another", "dstack", ATLS_E_INVALID,
     "log.preimage"},
    {"log.member", "an event has no event_type", "dstack", ATLS_E_INVALID, "log.event"},
    {"log.pcr_digest", "the digest of the first event is another", "pcrs", ATLS_E_INVALID,
     "log.pcr"},
    {"log.pcr_missing", "the first event is not in the log", "pcrs", ATLS_E_INVALID, "log.pcr"},
    {"log.type", "PCR 1 has an event of unknown type", "pcrs", ATLS_E_INVALID, "log.type"},
    {"log.locality", "the startup locality is none that there is", "pcrs", ATLS_E_INVALID,
     "log.locality"},
    {"log.pcr_extended", "PCR 11 was extended at run time", "pcrs", ATLS_OK, ""},
    {"log.ima_cut", "the list ends inside its last entry", "ima", ATLS_E_INVALID, "log.ima.format"},
    {"log.ima_digest", "the SHA-1 digest of an entry is not that of its data", "ima",
     ATLS_E_INVALID, "log.ima.digest"},
    {"log.ima_file", "the digest of a file is another", "ima", ATLS_E_INVALID, "log.ima.replay"},
    {"log.ima_template", "an entry is of the old template", "ima", ATLS_E_INVALID,
     "log.ima.template"},
    {"log.ima_event", "an entry's path has no end", "ima", ATLS_E_INVALID, "log.ima.event"},
    {"log.ima_later", "the list has entries of after the quote", "ima", ATLS_OK, ""},
};
const size_t sim_log_faults_n = sizeof sim_log_faults / sizeof sim_log_faults[0];

bool atls_sim_log_fault_at(size_t i, atls_sim_world_fault *out)
{
    if (i >= sim_log_faults_n) {
        return false;
    }
    *out = sim_log_faults[i];
    return true;
}

static bool has_word(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

bool sim_log_has_fault(const char *variant, const char *fault)
{
    for (size_t i = 0; fault != NULL && i < sim_log_faults_n; i++) {
        if (strcmp(sim_log_faults[i].name, fault) == 0) {
            return has_word(sim_log_faults[i].variants, variant);
        }
    }
    return false;
}

static bool is(const char *fault, const char *name)
{
    return fault != NULL && strcmp(fault, name) == 0;
}

/* --- events --- */

typedef struct measured {
    uint32_t index, type;
    const char *what;  /* data is "WORKLOAD/WHAT"; NULL: a separator */
    bool of_image;     /* the digest is of "WORKLOAD/WHAT/image" */
    const char *event; /* runtime: its name */
    unsigned version;
} measured;

static const measured td_events[] = {
    {0, 0x80000001, "secure-boot", false, NULL, 0},
    {0, 0x0000000a, "acpi", true, NULL, 0},
    {0, EV_SEPARATOR, NULL, false, NULL, 0},
    {1, 0x80000003, "boot-loader", true, NULL, 0},
    {1, 0x80000007, "calling-boot-loader", false, NULL, 0},
    {1, EV_SEPARATOR, NULL, false, NULL, 0},
    {2, 0x00000006, "command-line", false, NULL, 0},
    {2, 0x0000000d, "initrd", true, NULL, 0},
};
static const measured runtime_events[] = {
    {3, 0x08000001, "", false, "system-preparing", 1},
    {3, 0x08000001, "app-id", false, "app-id", 1},
    {3, 0x08000001, "compose-hash", false, "compose-hash", 1},
    {3, 0x08000001, "instance-id", false, "instance-id", 1},
    {3, 0x08000001, "", false, "boot-mr-done", 1},
    {3, 0x08000001, "os-image-hash", false, "os-image-hash", 1},
    {3, 0x08000001, "key-provider", false, "key-provider", 2},
    {3, 0x08000001, "", false, "system-ready", 1},
    {3, 0x08000001, "hello", false, "greeting", 1},
};
static const measured tpm_events[] = {
    {0, 0x00000008, "firmware-version", false, NULL, 0},
    {0, 0x00000011, "non-host", false, NULL, 0},
    {7, 0x80000001, "secure-boot", false, NULL, 0},
    {1, 0x0000000a, "acpi", true, NULL, 0},
    {0, EV_SEPARATOR, NULL, false, NULL, 0},
    {1, EV_SEPARATOR, NULL, false, NULL, 0},
    {2, EV_SEPARATOR, NULL, false, NULL, 0},
    {3, EV_SEPARATOR, NULL, false, NULL, 0},
    {4, EV_SEPARATOR, NULL, false, NULL, 0},
    {5, EV_SEPARATOR, NULL, false, NULL, 0},
    {6, EV_SEPARATOR, NULL, false, NULL, 0},
    {7, EV_SEPARATOR, NULL, false, NULL, 0},
    {4, 0x80000003, "boot-loader", true, NULL, 0},
    {8, 0x0000000d, "command-line", true, NULL, 0},
    {9, 0x0000000d, "kernel", true, NULL, 0},
    {11, 0x0000000d, "phase", true, NULL, 0},
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const atls_hash hashes[ATLS_TPM_BANKS] = {ATLS_SHA1, ATLS_SHA256, ATLS_SHA384, ATLS_SHA512};

static atls_code digest_all(sim_event *e, const atls_buf *pieces, size_t n, atls_err *err)
{
    for (size_t bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        ATLS_TRY(atls_digest(hashes[bank], pieces, n, e->digest[bank], err));
    }
    return ATLS_OK;
}

static void set_data(sim_event *e, const char *workload, const char *what)
{
    if (what == NULL) {
        e->data_len = 4; /* a separator's zeros */
    } else if (what[0] != '\0') {
        e->data_len = (size_t)snprintf((char *)e->data, sizeof e->data, "%.64s/%s", workload, what);
    }
}

static atls_code digest_runtime(sim_event *e, atls_err *err)
{
    static const uint8_t type[] = {0x01, 0x00, 0x00, 0x08, ':'};
    const atls_buf pieces[] = {{type, sizeof type},
                               {(const uint8_t *)e->name, strlen(e->name)},
                               {(const uint8_t *)":", 1},
                               {e->data, e->data_len}};
    sim_log_preimage(e, e->preimage, sizeof e->preimage);
    const atls_buf text = {(const uint8_t *)e->preimage, strlen(e->preimage)};
    return e->version == 2 ? digest_all(e, &text, 1, err) : digest_all(e, pieces, 4, err);
}

static atls_code measure(const measured *m, const char *workload, sim_events *to, atls_err *err)
{
    static const char image[] = "/image";
    sim_event e = {.index = m->index, .type = m->type, .version = m->version};
    set_data(&e, workload, m->what);
    if (m->event != NULL) {
        memcpy(e.name, m->event, strlen(m->event) + 1);
        ATLS_TRY(digest_runtime(&e, err));
    } else {
        const atls_buf pieces[] = {{e.data, e.data_len},
                                   {(const uint8_t *)image, m->of_image ? sizeof image - 1 : 0}};
        ATLS_TRY(digest_all(&e, pieces, 2, err));
    }
    to->all[to->n++] = e;
    return ATLS_OK;
}

/* Atlas's: an application's event, whose payload is the text of a certificate's hash. */
static atls_code measure_certificate(const char *text, sim_events *to, atls_err *err)
{
    sim_event e = {.index = 3, .type = 0x08000001, .version = 1, .name = "New TLS Certificate"};
    e.data_len = strnlen(text, SIM_CERTIFICATE_MAX);
    memcpy(e.data, text, e.data_len);
    ATLS_TRY(digest_runtime(&e, err));
    to->all[to->n++] = e;
    return ATLS_OK;
}

static atls_code measure_all(const measured *m, size_t n, const char *workload, sim_events *to,
                             atls_err *err)
{
    for (size_t i = 0; i < n; i++) {
        ATLS_TRY(measure(&m[i], workload, to, err));
    }
    return ATLS_OK;
}

static atls_code extend(unsigned bank, uint8_t *value, const uint8_t *digest, atls_err *err)
{
    const size_t len = atls_hash_len(hashes[bank]);
    const atls_buf pieces[] = {{value, len}, {digest, len}};
    return atls_digest(hashes[bank], pieces, 2, value, err);
}

/* --- faults --- */

static sim_event *find(sim_events *events, const char *name)
{
    for (size_t i = 0; i < events->n; i++) {
        if (strcmp(events->all[i].name, name) == 0) {
            return &events->all[i];
        }
    }
    return &events->all[0];
}

static void remove_first(sim_events *events)
{
    events->n--;
    memmove(events->all, events->all + 1, events->n * sizeof events->all[0]);
}

static void fault_firmware(sim_events *events, const char *fault)
{
    if (is(fault, "log.digest") || is(fault, "log.pcr_digest")) {
        for (size_t bank = 0; bank < ATLS_TPM_BANKS; bank++) {
            events->all[0].digest[bank][0] ^= 1;
        }
    } else if (is(fault, "log.missing") || is(fault, "log.pcr_missing")) {
        remove_first(events);
    } else if (is(fault, "log.added")) {
        events->all[events->n] = events->all[4];
        events->n++;
    } else if (is(fault, "log.cmdline")) {
        events->all[6].data[0] ^= 1;
        events->all[6].digest[ATLS_TPM_SHA384][0] ^= 1;
    } else if (is(fault, "log.type")) {
        events->all[3].type = 0x00004711;
    }
}

static void fault_runtime(sim_events *events, const char *fault)
{
    sim_event *e = find(events, "compose-hash");
    if (is(fault, "log.payload")) {
        e->data[0] ^= 1;
        e->without_digest = true;
    } else if (is(fault, "log.runtime_digest")) {
        e->digest[ATLS_TPM_SHA384][0] ^= 1;
    } else if (is(fault, "log.name")) {
        memcpy(find(events, "greeting")->name, "gre:ing", 8);
    } else if (is(fault, "log.preimage")) {
        find(events, "key-provider")->preimage[2] ^= 1;
    } else if (is(fault, "log.member")) {
        e->without_type = true;
    }
}

/* --- whole logs --- */

typedef struct maker {
    sim_events events;
    uint8_t space[SIM_LOG_MAX];
    atls_writer w;
} maker;

static atls_code finish(maker *m, uint8_t **log, size_t *len, atls_err *err)
{
    if (!atls_writer_ok(&m->w)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "the log needs more than %d bytes",
                        SIM_LOG_MAX);
    }
    uint8_t *bytes = malloc(m->w.len);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(bytes, m->space, m->w.len);
    *log = bytes;
    *len = m->w.len;
    return ATLS_OK;
}

static atls_code make_rtmrs(maker *m, bool dstack, const char *workload, const char *certificate,
                            const char *fault, uint8_t rtmr[4][48], atls_err *err)
{
    ATLS_TRY(measure_all(td_events, COUNT(td_events), workload, &m->events, err));
    if (dstack) {
        ATLS_TRY(measure_all(runtime_events, COUNT(runtime_events), workload, &m->events, err));
        if (certificate != NULL) {
            ATLS_TRY(measure_certificate(certificate, &m->events, err));
        }
    }
    memset(rtmr, 0, 4 * sizeof rtmr[0]);
    for (size_t i = 0; i < m->events.n; i++) {
        const sim_event *e = &m->events.all[i];
        ATLS_TRY(extend(ATLS_TPM_SHA384, rtmr[e->index], e->digest[ATLS_TPM_SHA384], err));
    }
    if (is(fault, "log.extended")) {
        ATLS_TRY(extend(ATLS_TPM_SHA384, rtmr[3], m->events.all[0].digest[ATLS_TPM_SHA384], err));
    }
    fault_firmware(&m->events, fault);
    if (!dstack) {
        sim_log_put_tcg(&m->events, true, fault, &m->w);
        return ATLS_OK;
    }
    fault_runtime(&m->events, fault);
    ATLS_TRY(sim_log_put_json(&m->events, &m->w, err));
    m->w.len -= is(fault, "log.cut_json") ? 1 : 0;
    return ATLS_OK;
}

static maker *maker_new(void)
{
    maker *m = calloc(1, sizeof *m);
    if (m != NULL) {
        m->w = atls_writer_of(m->space, sizeof m->space);
    }
    return m;
}

atls_code sim_log_rtmrs(const char *variant, const char *workload, const char *certificate,
                        const char *fault, uint8_t rtmr[4][48], uint8_t **log, size_t *len,
                        atls_err *err)
{
    const bool dstack = strcmp(variant, "dstack") == 0;
    maker *m = maker_new();
    atls_code rc = m == NULL ? ATLS_ERR_NOMEM(err)
                             : make_rtmrs(m, dstack, workload, certificate, fault, rtmr, err);
    if (rc == ATLS_OK) {
        rc = finish(m, log, len, err);
    }
    free(m);
    return rc;
}

static atls_code make_pcrs(maker *m, const char *workload, const char *fault, atls_tpm_bank *banks,
                           atls_err *err)
{
    ATLS_TRY(measure_all(tpm_events, COUNT(tpm_events), workload, &m->events, err));
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        memset(banks[bank].value, 0, sizeof banks[bank].value);
        memset(banks[bank].value[17], 0xff, 6 * sizeof banks[bank].value[0]);
        banks[bank].value[0][atls_hash_len(hashes[bank]) - 1] = 3; /* startup locality */
        for (size_t i = 0; i < m->events.n; i++) {
            const sim_event *e = &m->events.all[i];
            ATLS_TRY(extend(bank, banks[bank].value[e->index], e->digest[bank], err));
        }
        if (is(fault, "log.pcr_extended")) {
            ATLS_TRY(extend(bank, banks[bank].value[11], m->events.all[0].digest[bank], err));
        }
    }
    fault_firmware(&m->events, fault);
    sim_log_put_tcg(&m->events, false, fault, &m->w);
    return ATLS_OK;
}

atls_code sim_log_pcrs(const char *workload, const char *fault, atls_tpm_bank banks[ATLS_TPM_BANKS],
                       uint8_t **log, size_t *len, atls_err *err)
{
    maker *m = maker_new();
    atls_code rc = m == NULL ? ATLS_ERR_NOMEM(err) : make_pcrs(m, workload, fault, banks, err);
    if (rc == ATLS_OK) {
        rc = finish(m, log, len, err);
    }
    free(m);
    return rc;
}

/* --- IMA --- */

/* Template data of ima-ng: the file's digest and its path. */
static atls_code put_ima_data(const char *workload, const char *path, bool other, bool endless,
                              atls_writer *w, atls_err *err)
{
    uint8_t digest[32];
    const atls_buf pieces[] = {{(const uint8_t *)workload, strlen(workload)},
                               {(const uint8_t *)path, strlen(path)}};
    ATLS_TRY(atls_digest(ATLS_SHA256, pieces, 2, digest, err));
    digest[0] ^= other ? 1 : 0;
    atls_writer_u32le(w, 8 + sizeof digest);
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)"sha256:", 8});
    atls_writer_bytes(w, (atls_buf){digest, sizeof digest});
    const uint32_t len = (uint32_t)strlen(path) + (endless ? 0 : 1);
    atls_writer_u32le(w, len);
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)path, len});
    return ATLS_OK;
}

static atls_code put_ima_entry(atls_buf data, const char *fault, atls_writer *w, atls_err *err)
{
    uint8_t sha1[20];
    ATLS_TRY(atls_digest(ATLS_SHA1, &data, 1, sha1, err));
    sha1[0] ^= is(fault, "log.ima_digest") ? 1 : 0;
    const char *name = is(fault, "log.ima_template") ? "ima" : "ima-ng";
    atls_writer_u32le(w, 10);
    atls_writer_bytes(w, (atls_buf){sha1, sizeof sha1});
    atls_writer_u32le(w, (uint32_t)strlen(name));
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)name, strlen(name)});
    atls_writer_u32le(w, (uint32_t)data.len);
    atls_writer_bytes(w, data);
    return ATLS_OK;
}

static atls_code make_ima(maker *m, const char *workload, const char *fault, atls_tpm_bank *banks,
                          atls_err *err)
{
    static const char *const paths[] = {"boot_aggregate", "/usr/lib/systemd/systemd",
                                        "/usr/bin/atls", "/usr/bin/late"};
    const size_t n = is(fault, "log.ima_later") ? 4 : 3;
    for (size_t i = 0; i < n; i++) {
        uint8_t space[256];
        atls_writer honest = atls_writer_of(space, sizeof space);
        ATLS_TRY(put_ima_data(workload, paths[i], false, false, &honest, err));
        for (unsigned bank = 0; bank < ATLS_TPM_BANKS && i < 3; bank++) {
            uint8_t digest[64];
            const atls_buf data = {space, honest.len};
            ATLS_TRY(atls_digest(hashes[bank], &data, 1, digest, err));
            ATLS_TRY(extend(bank, banks[bank].value[10], digest, err));
        }
        atls_writer told = atls_writer_of(space, sizeof space);
        ATLS_TRY(put_ima_data(workload, paths[i], i == 1 && is(fault, "log.ima_file"),
                              i == 1 && is(fault, "log.ima_event"), &told, err));
        ATLS_TRY(put_ima_entry((atls_buf){space, told.len}, i == 1 ? fault : NULL, &m->w, err));
    }
    m->w.len -= is(fault, "log.ima_cut") ? 1 : 0;
    return ATLS_OK;
}

atls_code sim_log_ima(const char *workload, const char *fault, atls_tpm_bank banks[ATLS_TPM_BANKS],
                      uint8_t **log, size_t *len, atls_err *err)
{
    maker *m = maker_new();
    atls_code rc = m == NULL ? ATLS_ERR_NOMEM(err) : make_ima(m, workload, fault, banks, err);
    if (rc == ATLS_OK) {
        rc = finish(m, log, len, err);
    }
    free(m);
    return rc;
}
