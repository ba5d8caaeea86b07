/* inspect.c: `atls inspect`: decodes what we know, and judges nothing. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atls/atls.h>

#include "address.h"
#include "command.h"
#include "flags.h"
#include "input.h"
#include "say.h"

enum { JSON = 0x100 };

static const flag own_flags[] = {
    {JSON, "json", NULL, "one JSON object"},
    {0, NULL, NULL, NULL},
};
static const flags inspect_flags = {
    "atls inspect [--json] FILE|-",
    "Decodes quotes, certificates and collateral. It makes no trust decision: `atls verify` does.\n"
    "(Connections, HOST:PORT, come with a later release.)",
    {own_flags},
};

int command_inspect(int argc, char **argv)
{
    bool json = false;
    flags_begin();
    int id;
    while ((id = flags_next(&inspect_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
        json = true;
    }
    const char *path = NULL;
    if (!flags_one_operand(&inspect_flags, argc, argv, &path)) {
        return ATLS_E_USAGE;
    }
    address peer;
    if (strcmp(path, "-") != 0 && access(path, F_OK) != 0 &&
        address_parse(path, &peer, NULL) == ATLS_OK) {
        return say_refusal(
            ATLS_E_USAGE, "usage.operand",
            "there is no file '%s', and connections cannot be inspected in this release", path);
    }
    input in = {0};
    char *text = NULL;
    atls_err err = {0};
    atls_code rc = input_read(path, INPUT_EVIDENCE_MAX, ATLS_E_INVALID, "inspect.size", &in, &err);
    rc = rc != ATLS_OK ? rc : atls_inspect(input_buf(&in), json, &text, &err);
    if (rc == ATLS_OK) {
        printf(json ? "%s\n" : "%s", text);
        rc = fflush(stdout) == 0 ? ATLS_OK
                                 : fill_err(&err, ATLS_E_SYSTEM, "output.write",
                                            "standard output cannot be written");
    }
    atls_free(text);
    input_clear(&in);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
