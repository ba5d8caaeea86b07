/* bench.h: the two measurements of `atls bench`. */
#ifndef ATLS_APPS_BENCH_H
#define ATLS_APPS_BENCH_H

int bench_verify(int argc, char **argv);
int bench_handshake(int argc, char **argv);

#endif
