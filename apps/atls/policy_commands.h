/* policy_commands.h: commands of `atls policy` that have a file of their own. */
#ifndef ATLS_APPS_POLICY_COMMANDS_H
#define ATLS_APPS_POLICY_COMMANDS_H

int policy_learn(int argc, char **argv);
int policy_diff(int argc, char **argv);
int policy_convert(int argc, char **argv);

#endif
