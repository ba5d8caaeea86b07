/* bench.c: `atls bench`: what this machine does. */
#include "bench.h"

#include <stddef.h>

#include "command.h"

int command_bench(int argc, char **argv)
{
    static const command table[] = {
        {"verify", "verifications of evidence, beside raw ECDSA verifications", bench_verify},
        {"handshake", "attested handshakes, beside plain mutual TLS", bench_handshake},
        {NULL, NULL, NULL},
    };
    return command_dispatch(
        "atls bench",
        "Measures on this machine: CPU time of one thread, in interleaved slices,\n"
        "medians. What each number means stands in docs/bench.md.",
        table, argc, argv);
}
