/* main.c: `atls COMMAND`: the table of commands, in the order of the help. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <atls/atls.h>

#include "command.h"

static const command commands[] = {
    {"verify", "judges evidence", command_verify},
    {"inspect", "decodes quotes, certificates, collateral; judges nothing", command_inspect},
    {"connect", "attested client: carries standard input and output", command_connect},
    {"proxy", "attested server in front of a plain one", command_proxy},
    {"attest", "makes evidence here", command_attest},
    {"policy", "is a policy sound, and what does it accept?", command_policy},
    {"collateral", "what vendors sign: fetched, kept, carried, served", command_collateral},
    {"sim", "a simulated platform: its root, its collateral, its quotes", command_sim},
    {"bench", "measures on this machine", command_bench},
    {"demo", "one attested connection, three refused ones", command_demo},
    {NULL, NULL, NULL},
};

static const char about[] =
    "Attested TLS: learn what software runs at the other end, on which hardware, bound to this very\n"
    "connection. Exit status: 0 accepted, 1 usage, 2 input/output, 3 collateral missing or out of its\n"
    "time, 4 evidence invalid, 5 refused by policy, 6 binding or freshness.";

int main(int argc, char **argv)
{
    signal(SIGPIPE,
           SIG_IGN); /* a closed pipe or socket is an error to report, not a silent death */
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        printf("atls %s\n", atls_version());
        return ATLS_OK;
    }
    return command_dispatch("atls", about, commands, argc, argv);
}
