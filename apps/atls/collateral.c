/* collateral.c: `atls collateral`: what vendors sign and a verification needs: fetched, kept, carried over an air gap, served. */
#include <stddef.h>

#include "collateral_commands.h"
#include "command.h"

static const command commands[] = {
    {"fetch", "gets items, or renews all there are", collateral_fetch},
    {"show", "what the store has, and until when", collateral_show},
    {"bundle", "one file of it all, for machines without a network", collateral_bundle},
    {"import", "takes a bundle or collateral in JSON, if all of it holds", collateral_import},
    {"early", "which platforms will no longer be up to date, and why", collateral_early},
    {"serve", "a caching PCCS and KDS for other hosts", command_collateral_serve},
    {NULL, NULL, NULL},
};

int command_collateral(int argc, char **argv)
{
    return command_dispatch(
        "atls collateral",
        "Collateral: TCB info, QE identities, certificates and CRLs of Intel and AMD, key sets of issuers of\n"
        "tokens. A store takes only what holds under the vendors' roots, and never goes back.",
        commands, argc, argv);
}
