/* sim_up.h: the command `atls sim up`. */
#ifndef ATLS_APPS_SIM_UP_H
#define ATLS_APPS_SIM_UP_H

#include "flags.h"

int sim_up(int argc, char **argv);

#endif
