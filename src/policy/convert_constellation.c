/* convert_constellation.c: Constellation's measurements: a map from index to a value that is expected there. 32 bytes: PCRs of a
 * vTPM, in the bank of SHA-256; 48 bytes: MRTD (0) and RTMR 0 to 3 (1 to 4) of a TD. */
#include "policy/convert.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"

#define TEXT_MAX   ((size_t)64 * 1024)
#define PCR_LEN    32
#define RTMR_LEN   48
#define PCRS       24
#define REGISTERS  5
#define VALUE_TEXT (2 * RTMR_LEN)

static const char *const registers[REGISTERS] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};

/* --- reading --- */

typedef struct measurements {
    size_t len; /* bytes of each value; 0: not known yet */
    size_t n;   /* enforced ones */
    char value[PCRS][VALUE_TEXT + 1];
} measurements;

static atls_code bad(const char *index, const char *why, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.measurement", "measurement \"%.20s\": %s", index,
                    why);
}

/* PCRS: it is no index. */
static size_t index_of(const char *text)
{
    size_t n = 0;
    const size_t len = strlen(text);
    if (len == 0 || len > 2 || (len == 2 && text[0] == '0')) {
        return PCRS;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return PCRS;
        }
        n = n * 10 + (size_t)(text[i] - '0');
    }
    return n < PCRS ? n : PCRS;
}

/* {"expected": hex, "warnOnly": flag}, or the hex alone. */
static atls_code open_entry(const char *index, const json_t *entry, const char **hex, bool *warns,
                            atls_err *err)
{
    const char *name = NULL;
    json_t *member = NULL;
    *warns = false;
    *hex = json_string_value(entry);
    json_object_foreach((json_t *)(uintptr_t)entry, name, member)
    {
        if (strcmp(name, "expected") == 0 && json_is_string(member)) {
            *hex = json_string_value(member);
        } else if (strcmp(name, "warnOnly") == 0 && json_is_boolean(member)) {
            *warns = json_is_true(member);
        } else {
            return bad(index, "a member that is neither expected nor warnOnly", err);
        }
    }
    return *hex != NULL ? ATLS_OK : bad(index, "no value is expected", err);
}

static atls_code take_entry(measurements *m, const char *index, const json_t *entry,
                            atls_text *notes, atls_err *err)
{
    const char *hex = NULL;
    bool warns = false;
    uint8_t bytes[RTMR_LEN];
    size_t len = 0;
    const size_t at = index_of(index);
    ATLS_TRY(open_entry(index, entry, &hex, &warns, err));
    if (at == PCRS) {
        return bad(index, "no index below 24", err);
    }
    if (!atls_hex_decode(hex, strlen(hex), bytes, sizeof bytes, &len) ||
        (len != PCR_LEN && len != RTMR_LEN)) {
        return bad(index, "no value of 32 or 48 bytes in hexadecimal digits", err);
    }
    if (m->len != 0 && m->len != len) {
        return bad(index, "its length is another than that of those before", err);
    }
    m->len = len;
    if (len == RTMR_LEN && at >= REGISTERS) {
        return bad(index, "a TD has measurements 0 to 4", err);
    }
    if (warns) {
        atls_text_add(notes, "measurement %s only warns there, and is not asked for here\n", index);
        return ATLS_OK;
    }
    atls_hex_encode((atls_buf){bytes, len}, m->value[at]);
    m->n++;
    return ATLS_OK;
}

static bool add_value(json_t *set, const char *name, const char *value)
{
    return json_object_set_new(set, name, json_pack("[s]", value)) == 0;
}

static json_t *policy_of(const measurements *m)
{
    const bool is_td = m->len == RTMR_LEN;
    json_t *set = json_object();
    bool good = set != NULL;
    for (size_t i = 0; good && i < PCRS; i++) {
        char name[4];
        (void)snprintf(name, sizeof name, "%zu", i);
        good = m->value[i][0] == '\0' || add_value(set, is_td ? registers[i] : name, m->value[i]);
    }
    if (!good) {
        json_decref(set);
        return NULL;
    }
    return is_td
               ? json_pack("{sis[{sss[s]sos[s]}]}", "atls_policy", 1, "workloads", "name",
                           "constellation", "tees", "tdx", "tdx", set, "bindings", "constellation")
               : json_pack("{sis[{sss[ss]s{so}s[s]}]}", "atls_policy", 1, "workloads", "name",
                           "constellation", "tees", "azure", "snp-tpm", "tpm", "sha256", set,
                           "bindings", "constellation");
}

static atls_code read_measurements(const json_t *map, measurements *m, atls_text *notes,
                                   atls_err *err)
{
    const char *index = NULL;
    json_t *entry = NULL;
    if (!json_is_object(map)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.measurement",
                        "no map from indices to measurements");
    }
    json_object_foreach((json_t *)(uintptr_t)map, index, entry)
    {
        ATLS_TRY(take_entry(m, index, entry, notes, err));
    }
    if (m->n == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.empty",
                        "no measurement is enforced: that accepts everything");
    }
    return ATLS_OK;
}

static atls_code read_constellation(atls_buf text, json_t **out, atls_text *notes, atls_err *err)
{
    json_t *map = NULL;
    measurements m = {.len = 0};
    atls_err why = {0};
    if (atls_json_parse(text, TEXT_MAX, "convert.json", &map, &why) != ATLS_OK) {
        return ATLS_ERR(err, ATLS_E_USAGE, "convert.json", "%s", why.msg);
    }
    atls_code rc = read_measurements(map, &m, notes, err);
    json_decref(map);
    ATLS_TRY(rc);
    json_t *policy = policy_of(&m);
    if (policy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_text_add(notes, "measurements say what runs there, and not whose machine it is: add "
                         "\"platforms\", \"owner\" or \"pki\"\n");
    if (m.len == PCR_LEN) { /* they do not say of which variant they are */
        atls_text_add(notes, "a vTPM alone is not taken: for a variant without a hardware report "
                             "(azure-trustedlaunch, gcp-sev-es, qemu-vtpm) write \"tpm\" into "
                             "\"tees\"\n");
    }
    *out = policy;
    return ATLS_OK;
}

/* --- writing --- */

static atls_code lossy(const char *member, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.lossy",
                    "measurements cannot say \"%.40s\", or not like that", member);
}

/* One value, which has to be there. */
static atls_code put_value(json_t *map, size_t index, const char *member, const json_t *values,
                           atls_err *err)
{
    char name[4];
    const json_t *one = json_is_array(values) ? json_array_get(values, 0) : values;
    if (!json_is_string(one) || (json_is_array(values) && json_array_size(values) != 1)) {
        return lossy(member, err);
    }
    (void)snprintf(name, sizeof name, "%zu", index);
    json_t *entry = json_pack("{sssb}", "expected", json_string_value(one), "warnOnly", 0);
    return json_object_set_new(map, name, entry) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code put_pcrs(json_t *map, const json_t *build, atls_err *err)
{
    const char *name = NULL;
    json_t *values = NULL;
    const json_t *bank = json_object_get(build, "sha256");
    if (json_object_size(build) != 1 || !json_is_object(bank)) {
        return lossy("tpm", err);
    }
    json_object_foreach((json_t *)(uintptr_t)bank, name, values)
    {
        const size_t index = index_of(name);
        if (index == PCRS) {
            return lossy(name, err);
        }
        ATLS_TRY(put_value(map, index, name, values, err));
    }
    return ATLS_OK;
}

static atls_code put_registers(json_t *map, const json_t *build, atls_err *err)
{
    const char *name = NULL;
    json_t *values = NULL;
    if (!json_is_object(build)) {
        return lossy("tdx", err);
    }
    json_object_foreach((json_t *)(uintptr_t)build, name, values)
    {
        size_t i = 0;
        while (i < REGISTERS && strcmp(registers[i], name) != 0) {
            i++;
        }
        if (i == REGISTERS) {
            return lossy(name, err);
        }
        ATLS_TRY(put_value(map, i, name, values, err));
    }
    return ATLS_OK;
}

/* A list of one build is a build. */
static const json_t *only_build(const json_t *builds)
{
    return json_is_array(builds) && json_array_size(builds) == 1 ? json_array_get(builds, 0)
                                                                 : builds;
}

/* Of a policy that speaks another dialect only, Constellation's would be another promise. */
static atls_code check_bindings(const json_t *bindings, atls_err *err)
{
    for (size_t i = 0; i < json_array_size(bindings); i++) {
        const char *name = json_string_value(json_array_get(bindings, i));
        if (name != NULL && strcmp(name, "constellation") == 0) {
            return ATLS_OK;
        }
    }
    return bindings == NULL ? ATLS_OK : lossy("bindings", err);
}

static atls_code write_members(const json_t *workload, json_t *map, atls_err *err)
{
    static const char *const silent[] = {"name", "tees", "description", "why", "bindings"};
    const char *name = NULL;
    json_t *value = NULL;
    const bool both =
        json_object_get(workload, "tpm") != NULL && json_object_get(workload, "tdx") != NULL;
    ATLS_TRY(check_bindings(json_object_get(workload, "bindings"), err));
    json_object_foreach((json_t *)(uintptr_t)workload, name, value)
    {
        size_t i = 0;
        while (i < sizeof silent / sizeof silent[0] && strcmp(silent[i], name) != 0) {
            i++;
        }
        if (i < sizeof silent / sizeof silent[0]) {
            continue;
        }
        if (strcmp(name, "tpm") == 0 && !both) {
            ATLS_TRY(put_pcrs(map, only_build(value), err));
        } else if (strcmp(name, "tdx") == 0 && !both) {
            ATLS_TRY(put_registers(map, only_build(value), err));
        } else {
            return lossy(name, err);
        }
    }
    return ATLS_OK;
}

static atls_code write_constellation(const json_t *workload, char **text, atls_text *notes,
                                     atls_err *err)
{
    json_t *map = json_object();
    if (map == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = write_members(workload, map, err);
    if (rc == ATLS_OK && json_object_size(map) == 0) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "convert.empty",
                      "no measurement is enforced: that accepts everything");
    }
    char *made = rc == ATLS_OK ? atls_json_write(map, JSON_INDENT(2)) : NULL;
    json_decref(map);
    ATLS_TRY(rc);
    if (made == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_text_add(notes, "which machines, and how well patched, Constellation is told elsewhere\n");
    *text = made;
    return ATLS_OK;
}

const atls_policy_language atls_policy_language_constellation = {
    .name = "constellation",
    .read = read_constellation,
    .write = write_constellation,
};
