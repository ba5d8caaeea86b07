/* `amd`: what is asked of AMD's platforms. They have no list of TCB statuses: the lowest components that are good
 * enough are the relying party's own table. */
#include "policy/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/rfc3339.h"

/* --- floors --- */

typedef struct floor_part {
    atls_amd_floor *floor;
    int at; /* 0: now; 1: at launch */
} floor_part;

static atls_code parse_component(atls_policy_parser *p, json_t *value, void *target, int which)
{
    const floor_part *part = target;
    part->floor->has[part->at][which] = true;
    return atls_policy_parse_number(p, value, 0, UINT8_MAX, &part->floor->lowest[part->at][which]);
}

static atls_code parse_fmc(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_component(p, value, target, ATLS_AMD_FMC);
}

static atls_code parse_bootloader(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_component(p, value, target, ATLS_AMD_BOOTLOADER);
}

static atls_code parse_tee(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_component(p, value, target, ATLS_AMD_TEE);
}

static atls_code parse_snp(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_component(p, value, target, ATLS_AMD_SNP);
}

static atls_code parse_microcode(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_component(p, value, target, ATLS_AMD_MICROCODE);
}

static const atls_policy_key component_keys[] = {
    {"fmc", parse_fmc, false}, {"bootloader", parse_bootloader, false}, {"tee", parse_tee, false},
    {"snp", parse_snp, false}, {"microcode", parse_microcode, false},
};
const atls_policy_object atls_policy_components_object = {"amd_components", component_keys, 5};

static atls_code parse_components(atls_policy_parser *p, json_t *value, void *target, int at)
{
    floor_part part = {.floor = target, .at = at};
    ATLS_TRY(atls_policy_parse_object(p, value, &atls_policy_components_object, &part));
    for (int i = 0; i < ATLS_AMD_COMPONENTS; i++) {
        if (part.floor->has[at][i]) {
            return ATLS_OK;
        }
    }
    return atls_policy_refuse(p, "at least one component is wanted");
}

static atls_code parse_min(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_components(p, value, target, 0);
}

static atls_code parse_launch_min(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_components(p, value, target, 1);
}

static atls_code parse_product(atls_policy_parser *p, json_t *value, void *target)
{
    static const char *const products[] = {"Milan", "Genoa", "Turin"};
    size_t i = 0;
    ATLS_TRY(atls_policy_parse_word(p, value, "product", products, 3, &i));
    ((atls_amd_floor *)target)->product = products[i];
    return ATLS_OK;
}

static atls_code parse_family(atls_policy_parser *p, json_t *value, void *target)
{
    ((atls_amd_floor *)target)->has_family = true;
    return atls_policy_parse_number(p, value, 0, UINT8_MAX, &((atls_amd_floor *)target)->family);
}

static atls_code parse_model(atls_policy_parser *p, json_t *value, void *target)
{
    ((atls_amd_floor *)target)->has_model = true;
    return atls_policy_parse_number(p, value, 0, UINT8_MAX, &((atls_amd_floor *)target)->model);
}

static atls_code parse_stepping(atls_policy_parser *p, json_t *value, void *target)
{
    ((atls_amd_floor *)target)->has_stepping = true;
    return atls_policy_parse_number(p, value, 0, UINT8_MAX, &((atls_amd_floor *)target)->stepping);
}

static atls_code parse_until(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_until(p, value, &((atls_amd_floor *)target)->until_s);
}

static atls_code parse_date(atls_policy_parser *p, json_t *value, void *target)
{
    int64_t unused;
    ATLS_TRY(atls_policy_parse_until(p, value, &unused));
    return atls_policy_parse_string(p, value, &((atls_amd_floor *)target)->date);
}

static atls_code parse_reason(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_string(p, value, &((atls_amd_floor *)target)->reason);
}

static const atls_policy_key floor_keys[] = {
    {"product", parse_product, true}, {"family", parse_family, false},
    {"model", parse_model, false},    {"stepping", parse_stepping, false},
    {"min", parse_min, false},        {"launch_min", parse_launch_min, false},
    {"until", parse_until, false},    {"date", parse_date, false},
    {"reason", parse_reason, false},
};
const atls_policy_object atls_policy_floor_object = {"amd_floor", floor_keys,
                                                     sizeof floor_keys / sizeof floor_keys[0]};

static atls_code parse_floor(atls_policy_parser *p, json_t *value, atls_amd_floor *floor)
{
    ATLS_TRY(atls_policy_parse_object(p, value, &atls_policy_floor_object, floor));
    bool has_fmc = floor->has[0][ATLS_AMD_FMC] || floor->has[1][ATLS_AMD_FMC];
    if (has_fmc && strcmp(floor->product, "Turin") != 0) {
        return atls_policy_refuse(p, "%s has no fmc: only Turin's TCB version has one",
                                  floor->product);
    }
    return ATLS_OK;
}

static atls_code parse_floors(atls_policy_parser *p, json_t *value, void *target)
{
    atls_amd_rule *rule = target;
    size_t n;
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &n));
    if (n > ATLS_POLICY_FLOORS_MAX) {
        return atls_policy_refuse(p, "%zu entries, where at most %d are taken", n,
                                  ATLS_POLICY_FLOORS_MAX);
    }
    rule->floors = atls_policy_keep(p->policy, n, sizeof *rule->floors);
    if (rule->floors == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_floor(p, json_array_get(value, i), &rule->floors[i]));
        atls_policy_leave(p);
    }
    rule->floors_n = n;
    return ATLS_OK;
}

/* --- the rest --- */

/* The one word that may stand here. */
static atls_code parse_only_word(atls_policy_parser *p, json_t *value, const char *word, bool *out)
{
    size_t i;
    *out = true;
    return atls_policy_parse_word(p, value, "word", &word, 1, &i);
}

static atls_code parse_provisional(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_only_word(p, value, "refuse", &((atls_amd_rule *)target)->refuse_provisional);
}

static atls_code parse_reserved(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_only_word(p, value, "refuse", &((atls_amd_rule *)target)->refuse_reserved);
}

static atls_code parse_vlek(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_only_word(p, value, "refuse", &((atls_amd_rule *)target)->refuse_vlek);
}

static atls_code parse_masked(atls_policy_parser *p, json_t *value, void *target)
{
    return parse_only_word(p, value, "allow", &((atls_amd_rule *)target)->allow_masked_chip);
}

static atls_code parse_csp_ids(atls_policy_parser *p, json_t *value, void *target)
{
    return atls_policy_parse_texts(p, value, "csp_id", NULL, 0,
                                   &((atls_amd_rule *)target)->csp_ids);
}

/* "1.55.29": major, minor, build. */
static atls_code parse_firmware(atls_policy_parser *p, json_t *value, void *target)
{
    atls_amd_rule *rule = target;
    const char *s;
    ATLS_TRY(atls_policy_parse_string(p, value, &s));
    rule->firmware_wanted = s;
    rule->has_firmware = true;
    for (size_t i = 0; i < 3; i++) {
        unsigned n = 0;
        size_t digits = strspn(s, "0123456789");
        for (size_t k = 0; k < digits && n <= UINT8_MAX; k++) {
            n = n * 10 + (unsigned)(s[k] - '0');
        }
        if (digits == 0 || n > UINT8_MAX || s[digits] != (i < 2 ? '.' : '\0')) {
            return atls_policy_refuse(p, "a version is wanted: \"1.55.29\"");
        }
        rule->firmware_min[i] = (uint8_t)n;
        s += digits + 1;
    }
    return ATLS_OK;
}

static const atls_policy_key amd_keys[] = {
    {"tcb_min", parse_floors, false},
    {"firmware_min", parse_firmware, false},
    {"provisional", parse_provisional, false},
    {"reserved", parse_reserved, false},
    {"vlek", parse_vlek, false},
    {"csp_id", parse_csp_ids, false},
    {"masked_chip", parse_masked, false},
};
const atls_policy_object atls_policy_amd_object = {"amd", amd_keys,
                                                   sizeof amd_keys / sizeof amd_keys[0]};

atls_code atls_policy_parse_amd(atls_policy_parser *p, json_t *value, void *target)
{
    atls_amd_rule *rule = &((atls_workload *)target)->amd;
    ATLS_TRY(atls_policy_parse_object(p, value, &atls_policy_amd_object, rule));
    if (rule->refuse_vlek && rule->csp_ids.n > 0) {
        return atls_policy_refuse(p, "csp_id names whose VLEK is accepted, and vlek refuses all: "
                                     "name one of the two");
    }
    return ATLS_OK;
}
