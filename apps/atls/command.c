#include "command.h"

#include <stdio.h>
#include <string.h>

#include <atls/atls.h>

static void print_help(FILE *to, const char *program, const char *about, const command *table)
{
    fprintf(to, "usage: %s COMMAND [options]\n\n%s\n\ncommands:\n", program, about);
    for (const command *c = table; c->name != NULL; c++) {
        fprintf(to, "  %-10s %s\n", c->name, c->summary);
    }
    fprintf(to, "\n`%s COMMAND --help` tells the options of one.\n", program);
}

int command_dispatch(const char *program, const char *about, const command *table, int argc,
                     char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name == NULL) {
        print_help(stderr, program, about, table);
        return ATLS_E_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout, program, about, table);
        return ATLS_OK;
    }
    for (const command *c = table; c->name != NULL; c++) {
        if (strcmp(name, c->name) == 0) {
            return c->run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "%s: no command '%s'; `%s --help` lists them [usage.command]\n", program, name,
            program);
    return ATLS_E_USAGE;
}
