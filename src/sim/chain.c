#include "sim/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define CHAIN_PARTS 5
#define RAW_TCB_LEN 20

/* The texts one after another; with_cr: LF becomes CR LF. */
static char *join(const char *const texts[CHAIN_PARTS], bool with_cr, size_t *len)
{
    size_t total = 1;
    for (size_t i = 0; i < CHAIN_PARTS && texts[i] != NULL; i++) {
        total += 2 * strlen(texts[i]);
    }
    char *out = malloc(total);
    char *to = out;
    for (size_t i = 0; out != NULL && i < CHAIN_PARTS && texts[i] != NULL; i++) {
        for (const char *from = texts[i]; *from != '\0'; from++) {
            if (with_cr && *from == '\n') {
                *to++ = '\r';
            }
            *to++ = *from;
        }
    }
    if (out != NULL) {
        *to = '\0';
        *len = (size_t)(to - out);
    }
    return out;
}

static char *pem_chain(const atls_sim *sim, const char *leaf, int chain, size_t *len)
{
    const char *ca = sim->ca_pem;
    const char *root = sim->chain_root_pem;
    const char *usual[CHAIN_PARTS] = {leaf, ca, root};
    const char *reversed[CHAIN_PARTS] = {root, ca, leaf};
    const char *four[CHAIN_PARTS] = {leaf, ca, root, ca};
    const char *two[CHAIN_PARTS] = {leaf, ca};
    const char *no_leaf[CHAIN_PARTS] = {ca, ca, root};
    const char *two_leaves[CHAIN_PARTS] = {leaf, leaf, root};
    const char *other_text[CHAIN_PARTS] = {leaf, "this is no certificate\n", ca, root};
    const char *const *const choices[] = {
        [SIM_CHAIN] = usual,
        [SIM_CHAIN_NO_NUL] = usual,
        [SIM_CHAIN_CRLF] = usual,
        [SIM_CHAIN_REVERSED] = reversed,
        [SIM_CHAIN_FOUR] = four,
        [SIM_CHAIN_TWO] = two,
        [SIM_CHAIN_NO_LEAF] = no_leaf,
        [SIM_CHAIN_TWO_LEAVES] = two_leaves,
        [SIM_CHAIN_OTHER_TEXT] = other_text,
    };
    char *out = join(choices[chain], chain == SIM_CHAIN_CRLF, len);
    *len +=
        out != NULL && chain != SIM_CHAIN_NO_NUL ? 1 : 0; /* the NUL counts, as in Intel's quotes */
    return out;
}

/* CPUSVN, PCESVN, PCEID: what the vendor looks the certificate of this level up by. */
static void put_raw_tcb(size_t level, uint8_t raw[RAW_TCB_LEN])
{
    sim_level_components(level, raw);
    raw[16] = SIM_PCESVN % 256;
    raw[17] = SIM_PCESVN / 256;
    memset(raw + 18, 0, 2);
}

atls_code sim_chain_make(const atls_sim *sim, const sim_platform *platform,
                         const sim_quote_plan *plan, char **out, size_t *len, atls_err *err)
{
    static const size_t without_certificate[] = {
        [1] = 36, [2] = 276, [3] = 404}; /* intel-dcap 2.3 */
    char *bytes;
    size_t n = 0;
    if (plan->certification_type == 4) {
        const char *leaf[CHAIN_PARTS] = {platform->pck_pem};
        bytes = join(leaf, false, &n);
    } else if (plan->certification_type == 5) {
        bytes = pem_chain(sim, platform->pck_pem, plan->chain, &n);
    } else {
        n = plan->certification_type <= 3 ? without_certificate[plan->certification_type] : 36;
        bytes = calloc(1, n);
        if (bytes != NULL) {
            put_raw_tcb((size_t)(platform - sim->platforms), (uint8_t *)bytes + n - RAW_TCB_LEN);
        }
    }
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = bytes;
    *len = n;
    return ATLS_OK;
}
