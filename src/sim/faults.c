#include "sim/faults.h"

#include <string.h>

#include <atls/sim.h>

#include "base/err.h"

atls_code sim_fault_by_name(const char *name, const sim_fault **out, atls_err *err)
{
    *out = NULL;
    if (name == NULL || name[0] == '\0') {
        return ATLS_OK;
    }
    for (size_t i = 0; i < sim_faults_n; i++) {
        if (strcmp(sim_faults[i].name, name) == 0) {
            *out = &sim_faults[i];
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault",
                    "no fault is named %.64s: docs/simulator.md lists them", name);
}

/* offsetof() of an int or a text in plan, as the table's macros took it. */
static void change(const sim_fault *fault, void *plan)
{
    char *at = (char *)plan + fault->at;
    if (fault->text != NULL) {
        memcpy(at, &fault->text, sizeof fault->text);
    } else {
        memcpy(at, &fault->number, sizeof fault->number);
    }
}

void sim_fault_apply(const sim_fault *fault, sim_plan *plan)
{
    if (fault != NULL && fault->scope == SIM_OF_PLATFORM) {
        change(fault, plan);
    }
}

void sim_fault_apply_to_quote(const sim_fault *fault, sim_quote_plan *plan)
{
    if (fault != NULL && fault->scope == SIM_OF_QUOTE) {
        change(fault, plan);
    }
}

void sim_fault_apply_to_part(const sim_fault *fault, sim_part part, uint8_t *bytes, size_t len)
{
    if (fault == NULL || fault->scope != SIM_OF_BYTE || fault->part != part || fault->at >= len) {
        return;
    }
    uint8_t value = (uint8_t)fault->number;
    bytes[fault->at] = fault->how == SIM_SET ? value : (uint8_t)(bytes[fault->at] ^ value);
}

bool atls_sim_fault_at(size_t i, atls_sim_fault *out)
{
    if (i >= sim_faults_n) {
        return false;
    }
    const sim_fault *f = &sim_faults[i];
    *out = (atls_sim_fault){.name = f->name,
                            .what = f->what,
                            .of_quote = f->scope != SIM_OF_PLATFORM,
                            .in_tdx = (f->types & SIM_IN_TDX) != 0,
                            .in_tdx5 = (f->types & SIM_IN_TDX5) != 0,
                            .in_sgx = (f->types & SIM_IN_SGX) != 0,
                            .expected = f->expected};
    return true;
}
