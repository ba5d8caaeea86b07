/* command.h: the commands of `atls`. Each takes its own arguments (argv[0] is its name) and returns the exit
 * status: the codes of <atls/types.h>. */
#ifndef ATLS_APPS_COMMAND_H
#define ATLS_APPS_COMMAND_H

#include <stddef.h>

typedef struct command {
    const char *name;
    const char *summary; /* one line of `atls --help` */
    int (*run)(int argc, char **argv);
} command;

int command_verify(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_connect(int argc, char **argv);
int command_proxy(int argc, char **argv);
int command_attest(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_collateral(int argc, char **argv);
int command_sim(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_demo(int argc, char **argv);

/* Runs the command of the table that argv[1] names; help and errors are written in the name of `program`
 * ("atls", "atls sim"). The table ends with a NULL name. */
int command_dispatch(const char *program, const char *about, const command *table, int argc,
                     char **argv);

#endif
