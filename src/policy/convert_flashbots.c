/* convert_flashbots.c: measurements.json of Flashbots' peers: an array of records, each a type of evidence and the
 * registers that it must have. One record, or one alternative of ours, is one of theirs. */
#include "policy/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "policy/policy.h"

#define TEXT_MAX     ((size_t)1 << 20)
#define NAME_MAX_LEN 128

typedef struct reading {
    json_t *workloads;
    atls_text *notes;
    atls_err *err;
    size_t record; /* from 1, for messages */
} reading;

static atls_code refuse(const reading *r, const char *what, const char *why)
{
    return ATLS_ERR(r->err, ATLS_E_USAGE, "convert.flashbots", "record %zu: \"%.60s\": %s",
                    r->record, what, why);
}

static atls_code set_new(json_t *object, const char *name, json_t *value, atls_err *err)
{
    return json_object_set_new(object, name, value) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* --- registers --- */

static const char *const tdx_registers[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
#define TDX_REGISTERS 5
#define PCRS          24

/* A decimal number without zeros in front, below limit; limit: none. */
static size_t number_of(const char *text, size_t limit)
{
    size_t n = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0') || strlen(text) > 2) {
        return limit;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        n = n * 10 + (size_t)(*text - '0');
    }
    return *text == '\0' && n < limit ? n : limit;
}

static size_t register_of(const char *name, bool azure)
{
    if (azure) {
        return number_of(strncasecmp(name, "pcr", 3) == 0 ? name + 3 : name, PCRS);
    }
    for (size_t i = 0; i < TDX_REGISTERS; i++) {
        if (strcasecmp(name, tdx_registers[i]) == 0) {
            return i;
        }
    }
    return number_of(name, TDX_REGISTERS);
}

static bool is_value(const json_t *text, size_t wanted)
{
    uint8_t value[48];
    size_t len = 0;
    return json_is_string(text) &&
           atls_hex_decode(json_string_value(text), json_string_length(text), value, sizeof value,
                           &len) &&
           len == wanted;
}

/* Of exactly one of "expected_any" and "expected": a list of values (a new reference). */
static atls_code read_values(const reading *r, const char *name, const json_t *rule, size_t len,
                             json_t **out)
{
    const json_t *any = json_object_get(rule, "expected_any");
    const json_t *one = json_object_get(rule, "expected");
    if (json_object_size(rule) != 1 || (any == NULL && one == NULL)) {
        return refuse(r, name, "exactly one of \"expected_any\" and \"expected\" is wanted");
    }
    json_t *list = any != NULL ? json_deep_copy(any) : json_pack("[O]", one);
    bool ok = json_is_array(list) && json_array_size(list) > 0 &&
              json_array_size(list) <= ATLS_POLICY_VALUES_MAX;
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        ok = is_value(json_array_get(list, i), len);
    }
    if (!ok) {
        json_decref(list);
        return list == NULL ? ATLS_ERR_NOMEM(r->err)
                            : refuse(r, name,
                                     len == 48 ? "values are hex of 48 bytes, at least one"
                                               : "values are hex of 32 bytes, at least one");
    }
    *out = list;
    return ATLS_OK;
}

static atls_code read_register(const reading *r, const char *name, const json_t *rule, bool azure,
                               json_t *set)
{
    char key[4];
    json_t *values = NULL;
    const size_t i = register_of(name, azure);
    if (i == (azure ? PCRS : TDX_REGISTERS)) {
        return refuse(r, name, "no register of this type of evidence");
    }
    (void)snprintf(key, sizeof key, "%u", (unsigned)i % 100);
    const char *ours = azure ? key : tdx_registers[i];
    if (json_object_get(set, ours) != NULL) {
        return refuse(r, name, "a register that is there twice");
    }
    ATLS_TRY(read_values(r, name, rule, azure ? 32 : 48, &values));
    return set_new(set, ours, values, r->err);
}

static atls_code read_registers(const reading *r, const json_t *measurements, bool azure,
                                json_t *workload)
{
    const char *name;
    json_t *rule;
    json_t *set = json_object();
    atls_code rc = set == NULL ? ATLS_ERR_NOMEM(r->err) : ATLS_OK;
    for (void *it = json_object_iter((json_t *)(uintptr_t)measurements);
         it != NULL && rc == ATLS_OK;
         it = json_object_iter_next((json_t *)(uintptr_t)measurements, it)) {
        name = json_object_iter_key(it);
        rule = json_object_iter_value(it);
        rc = read_register(r, name, rule, azure, set);
    }
    if (rc != ATLS_OK) {
        json_decref(set);
        return rc;
    }
    if (azure) {
        return set_new(workload, "tpm", json_pack("{s:o}", "sha256", set), r->err);
    }
    return set_new(workload, "tdx", set, r->err);
}

/* --- records --- */

static bool is_taken(const json_t *workloads, const char *name)
{
    for (size_t i = 0; i < json_array_size(workloads); i++) {
        if (strcmp(json_string_value(json_object_get(json_array_get(workloads, i), "name")),
                   name) == 0) {
            return true;
        }
    }
    return false;
}

/* Ours are printable ASCII, without a space at either end, and each there once. */
static bool is_name(const char *text)
{
    const size_t len = strlen(text);
    if (len == 0 || len > NAME_MAX_LEN || text[0] == ' ' || text[len - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

static atls_code name_it(const reading *r, const json_t *id, json_t *workload)
{
    char made[32];
    const char *name = json_string_value(id);
    if (id != NULL && name == NULL && !json_is_null(id)) {
        return refuse(r, "measurement_id", "a text is wanted");
    }
    if (name == NULL || !is_name(name) || is_taken(r->workloads, name)) {
        (void)snprintf(made, sizeof made, "record-%zu", r->record);
        if (name != NULL) {
            atls_text_add(r->notes,
                          "record %zu is called \"%s\": its id is there twice, or no name "
                          "of ours\n",
                          r->record, made);
        }
        name = made;
    }
    return is_taken(r->workloads, name) ? refuse(r, name, "a name that is there twice")
                                        : set_new(workload, "name", json_string(name), r->err);
}

/* Peers judge type azure-tdx on TDX alone. An SNP report of Azure's is of VMPL 0, or refused: so none fits. */
static atls_code no_snp(const reading *r, json_t *workload)
{
    return set_new(workload, "snp",
                   json_pack("{s:i, s:s}", "vmpl", 3, "why",
                             "azure-tdx is on TDX alone: Azure's SNP reports have VMPL 0"),
                   r->err);
}

static atls_code read_workload(const reading *r, const json_t *id, const char *type,
                               const json_t *measurements, json_t *workload)
{
    const bool azure = strcmp(type, "azure-tdx") == 0;
    ATLS_TRY(name_it(r, id, workload));
    ATLS_TRY(set_new(workload, "tees", json_pack("[s]", azure ? "azure" : "tdx"), r->err));
    ATLS_TRY(
        set_new(workload, "bindings", json_pack("[ss]", "flashbots", "evidence-alone"), r->err));
    if (azure) {
        ATLS_TRY(no_snp(r, workload));
    }
    if (json_object_size(measurements) == 0) {
        atls_text_add(
            r->notes,
            "record %zu names no measurements: it accepts whatever runs in a genuine TD\n",
            r->record);
        return ATLS_OK;
    }
    return read_registers(r, measurements, azure, workload);
}

static atls_code add_workload(const reading *r, const json_t *id, const char *type,
                              const json_t *measurements)
{
    json_t *workload = json_object();
    if (workload == NULL) {
        return ATLS_ERR_NOMEM(r->err);
    }
    atls_code rc = read_workload(r, id, type, measurements, workload);
    if (rc != ATLS_OK) {
        json_decref(workload);
        return rc;
    }
    return json_array_append_new(r->workloads, workload) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(r->err);
}

static atls_code check_type(const reading *r, const char *type)
{
    static const char *const known[] = {"dcap-tdx", "gcp-tdx", "qemu-tdx", "azure-tdx"};
    if (type == NULL) {
        return refuse(r, "attestation_type", "a record has a type, as text");
    }
    if (strcmp(type, "none") == 0) {
        return refuse(r, type,
                      "such a record lets peers in without evidence, and is no policy of "
                      "ours: leave out the verifier instead");
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(type, known[i]) == 0) {
            return ATLS_OK;
        }
    }
    return refuse(r, type, "dcap-tdx, gcp-tdx, qemu-tdx and azure-tdx are known");
}

static atls_code check_members(const reading *r, const json_t *record)
{
    for (void *it = json_object_iter((json_t *)(uintptr_t)record); it != NULL;
         it = json_object_iter_next((json_t *)(uintptr_t)record, it)) {
        const char *name = json_object_iter_key(it);
        if (strcmp(name, "kind") == 0 || strcmp(name, "dcap_image_hashes") == 0) {
            return refuse(r, name,
                          "hashes of an image, out of which peers compute registers: write "
                          "the registers down");
        }
        if (strcmp(name, "measurement_id") != 0 && strcmp(name, "attestation_type") != 0 &&
            strcmp(name, "measurements") != 0) {
            return refuse(r, name, "a member that is not known");
        }
    }
    return ATLS_OK;
}

static atls_code read_record(const reading *r, const json_t *record)
{
    const json_t *measurements = json_object_get(record, "measurements");
    const char *type = json_string_value(json_object_get(record, "attestation_type"));
    if (!json_is_object(record)) {
        return refuse(r, "", "an object is wanted");
    }
    ATLS_TRY(check_members(r, record));
    ATLS_TRY(check_type(r, type));
    if (measurements != NULL && !json_is_object(measurements) && !json_is_null(measurements)) {
        return refuse(r, "measurements", "an object of registers is wanted");
    }
    return add_workload(r, json_object_get(record, "measurement_id"), type, measurements);
}

/* The first form: an object from ids to registers, all of azure-tdx. */
static atls_code read_map(reading *r, json_t *map)
{
    for (void *it = json_object_iter(map); it != NULL; it = json_object_iter_next(map, it)) {
        const json_t *measurements = json_object_iter_value(it);
        json_t *id = json_string(json_object_iter_key(it));
        r->record++;
        atls_code rc =
            id == NULL ? ATLS_ERR_NOMEM(r->err)
            : json_is_object(measurements)
                ? add_workload(r, id, "azure-tdx", measurements)
                : refuse(r, json_object_iter_key(it), "an object of registers is wanted");
        json_decref(id);
        ATLS_TRY(rc);
    }
    return ATLS_OK;
}

static atls_code read_all(reading *r, json_t *root)
{
    if (json_is_object(root)) {
        const bool is_record = json_object_get(root, "attestation_type") != NULL ||
                               json_object_get(root, "kind") != NULL;
        r->record = is_record ? 1 : 0;
        ATLS_TRY(is_record ? read_record(r, root) : read_map(r, root));
    }
    for (size_t i = 0; i < json_array_size(root); i++) {
        r->record = i + 1;
        ATLS_TRY(read_record(r, json_array_get(root, i)));
    }
    if (json_array_size(r->workloads) == 0) {
        return refuse(r, "", "no record at all");
    }
    atls_text_add(r->notes, "peers take every TCB status but Revoked; here only UpToDate is taken, "
                            "and no debug: see \"tcb\" in docs/policy.md\n");
    atls_text_add(r->notes,
                  "bindings: flashbots, and evidence in files; name ra-tls-flashbots, too, "
                  "for certificates\n");
    return ATLS_OK;
}

static atls_code read_flashbots(atls_buf text, json_t **out, atls_text *notes, atls_err *err)
{
    json_t *root = NULL;
    atls_err why = {0};
    if (atls_json_parse(text, TEXT_MAX, "convert.flashbots", &root, &why) != ATLS_OK) {
        return why.code == ATLS_E_SYSTEM
                   ? ATLS_ERR_NOMEM(err)
                   : ATLS_ERR(err, ATLS_E_USAGE, "convert.flashbots", "%.200s", why.msg);
    }
    reading r = {.workloads = json_array(), .notes = notes, .err = err};
    atls_code rc = r.workloads == NULL ? ATLS_ERR_NOMEM(err) : read_all(&r, root);
    json_decref(root);
    if (rc != ATLS_OK) {
        json_decref(r.workloads);
        return rc;
    }
    *out = json_pack("{s:i, s:o}", "atls_policy", 1, "workloads", r.workloads);
    return *out != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* --- ours in their words --- */

static atls_code lossy(const char *member, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "convert.lossy",
                    "measurements.json has no words for \"%.60s\" as it stands here", member);
}

static atls_code write_set(const json_t *set, bool azure, json_t *measurements, atls_err *err)
{
    for (void *it = json_object_iter((json_t *)(uintptr_t)set); it != NULL;
         it = json_object_iter_next((json_t *)(uintptr_t)set, it)) {
        const char *name = json_object_iter_key(it);
        char key[4];
        const size_t i = register_of(name, azure);
        if (strcmp(name, "why") == 0) {
            continue;
        }
        if (i == (azure ? PCRS : TDX_REGISTERS)) {
            return lossy(name, err);
        }
        (void)snprintf(key, sizeof key, "%u", (unsigned)i % 100);
        json_t *values = json_object_iter_value(it);
        ATLS_TRY(set_new(measurements, key, json_pack("{s:O}", "expected_any", values), err));
    }
    return ATLS_OK;
}

/* Of one alternative: its registers (an object, or nothing but "why" beside the SHA-256 bank). */
static atls_code write_record(const json_t *workload, const json_t *set, bool azure, json_t *list,
                              atls_err *err)
{
    const json_t *registers = azure ? json_object_get(set, "sha256") : set;
    const size_t known =
        (registers != NULL ? 1u : 0u) + (json_object_get(set, "why") != NULL ? 1u : 0u);
    if (azure && set != NULL && json_object_size(set) != known) {
        return lossy("tpm", err);
    }
    json_t *record = json_pack("{s:O, s:s}", "measurement_id", json_object_get(workload, "name"),
                               "attestation_type", azure ? "azure-tdx" : "dcap-tdx");
    json_t *measurements = json_object();
    atls_code rc = record == NULL || measurements == NULL
                       ? ATLS_ERR_NOMEM(err)
                       : write_set(registers, azure, measurements, err);
    if (rc == ATLS_OK && json_object_size(measurements) > 0) {
        rc = json_object_set(record, "measurements", measurements) == 0 ? ATLS_OK
                                                                        : ATLS_ERR_NOMEM(err);
    }
    json_decref(measurements);
    if (rc != ATLS_OK) {
        json_decref(record);
        return rc;
    }
    return json_array_append_new(list, record) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static bool excludes_snp(const json_t *snp)
{
    const size_t known = json_object_get(snp, "why") != NULL ? 2 : 1;
    return json_object_size(snp) == known && json_integer_value(json_object_get(snp, "vmpl")) > 0;
}

static bool only_flashbots(const json_t *bindings)
{
    bool named = false;
    for (size_t i = 0; i < json_array_size(bindings); i++) {
        const char *name = json_string_value(json_array_get(bindings, i));
        named = named || strcmp(name, "flashbots") == 0;
        if (strcmp(name, "flashbots") != 0 && strcmp(name, "ra-tls-flashbots") != 0 &&
            strcmp(name, "evidence-alone") != 0) {
            return false;
        }
    }
    return named;
}

static atls_code check_workload(const json_t *workload, bool azure, atls_text *notes, atls_err *err)
{
    for (void *it = json_object_iter((json_t *)(uintptr_t)workload); it != NULL;
         it = json_object_iter_next((json_t *)(uintptr_t)workload, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        bool ok = strcmp(name, "name") == 0 || strcmp(name, "tees") == 0 ||
                  strcmp(name, "why") == 0 || strcmp(name, "description") == 0 ||
                  strcmp(name, azure ? "tpm" : "tdx") == 0;
        ok = ok || (azure && strcmp(name, "snp") == 0 && excludes_snp(value)) ||
             (strcmp(name, "bindings") == 0 && only_flashbots(value));
        if (!ok) {
            return lossy(name, err);
        }
    }
    if (azure && json_object_get(workload, "snp") == NULL) {
        return lossy("azure on SNP", err);
    }
    if (json_object_get(workload, "bindings") == NULL) {
        atls_text_add(notes, "the policy counts atls/1; peers that read this file speak "
                             "flashbots-ratls/1\n");
    }
    atls_text_add(notes, "peers judge no TCB status but Revoked\n");
    return ATLS_OK;
}

static atls_code write_records(const json_t *workload, json_t *list, atls_text *notes,
                               atls_err *err)
{
    const json_t *tees = json_object_get(workload, "tees");
    const char *tee = json_string_value(json_array_get(tees, 0));
    const bool azure = tee != NULL && strcmp(tee, "azure") == 0;
    if (json_array_size(tees) != 1 || (!azure && strcmp(tee, "tdx") != 0)) {
        return lossy("tees", err);
    }
    ATLS_TRY(check_workload(workload, azure, notes, err));
    const json_t *sets = json_object_get(workload, azure ? "tpm" : "tdx");
    if (!json_is_array(sets)) {
        if (sets == NULL) {
            atls_text_add(notes, "no measurements: whatever runs in a genuine TD is accepted\n");
        }
        return write_record(workload, sets, azure, list, err);
    }
    for (size_t i = 0; i < json_array_size(sets); i++) {
        ATLS_TRY(write_record(workload, json_array_get(sets, i), azure, list, err));
    }
    return ATLS_OK;
}

static atls_code write_flashbots(const json_t *workload, char **text, atls_text *notes,
                                 atls_err *err)
{
    json_t *list = json_array();
    atls_code rc = list == NULL ? ATLS_ERR_NOMEM(err) : write_records(workload, list, notes, err);
    char *made = rc == ATLS_OK ? atls_json_write(list, JSON_INDENT(2)) : NULL;
    json_decref(list);
    if (rc == ATLS_OK && made == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *text = made;
    return rc;
}

const atls_policy_language atls_policy_language_flashbots = {
    .name = "flashbots",
    .read = read_flashbots,
    .write = write_flashbots,
};
