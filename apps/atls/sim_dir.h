/* sim_dir.h: simulated platforms kept in a directory: root.pem (of all of them), collateral-tdx.json, collateral-sgx.json,
 * endorsement-FAMILY where a caller must vouch for something, and state.json and state-FAMILY.json with the private keys. */
#ifndef ATLS_APPS_SIM_DIR_H
#define ATLS_APPS_SIM_DIR_H

#include <atls/sim.h>

#include "flags.h"

#define SIM_STATE_PREFIX "state"
#define SIM_STATE_FILE   SIM_STATE_PREFIX ".json"

/* Writes Intel's platform, and one of each family that is named ("snp,nitro"; "all"; NULL: none); makes the directory
 * if need be. */
atls_code sim_dir_write(const atls_sim *sim, const char *families, int64_t at_s, const char *dir,
                        atls_err *err);

/* Intel's platform of a directory. */
atls_code sim_dir_load(const char *dir, atls_sim **out, atls_err *err);

/* A source of evidence of one of them. */
typedef struct sim_source {
    atls_sim *sim;         /* NULL: not Intel's */
    atls_sim_world *world; /* NULL: Intel's */
    char *variant;         /* owned; what stands behind the colon of the type */
    atls_attester *attester;
} sim_source;
/* quote->type is "tdx", "sgx", ..., or FAMILY[:VARIANT] ("snp", "snp:genoa"). quote is borrowed. */
atls_code sim_source_open(const char *dir, const atls_sim_quote *quote, sim_source *out,
                          atls_err *err);
void sim_source_close(sim_source *s);

/* The options that say what the simulated machine runs and is: for `sim evidence`, and wherever evidence is
 * made with --attest sim. */
extern const flag sim_quote_flags[];
bool sim_quote_take(atls_sim_quote *quote, int id, char *arg);

#endif
