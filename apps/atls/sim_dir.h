/* sim_dir.h: a simulated platform kept in a directory: root.pem, collateral-tdx.json, collateral-sgx.json, and
 * state.json with its private keys. */
#ifndef ATLS_APPS_SIM_DIR_H
#define ATLS_APPS_SIM_DIR_H

#include <atls/sim.h>

#include "flags.h"

#define SIM_STATE_FILE "state.json"

/* Writes the four files; makes the directory if need be. */
atls_code sim_dir_write(const atls_sim *sim, const char *dir, atls_err *err);
/* Reads state.json. The caller frees *out. */
atls_code sim_dir_read(const char *dir, atls_sim **out, atls_err *err);

/* The options that say what the simulated machine runs and is: for `sim evidence`, and wherever evidence is
 * made with --attest sim. */
extern const flag sim_quote_flags[];
bool sim_quote_take(atls_sim_quote *quote, int id, char *arg);

#endif
