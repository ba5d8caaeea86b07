/* policy.c: `atls policy`: is a policy sound, and what does it accept? */
#include <getopt.h>
#include <stdio.h>

#include <atls/atls.h>

#include "command.h"
#include "flags.h"
#include "input.h"
#include "output.h"
#include "policy_commands.h"
#include "say.h"

enum { JSON = 0x100 };

static const flag own_flags[] = {
    {JSON, "json", NULL, "one JSON object on standard output"},
    {0, NULL, NULL, NULL},
};
static const flags check_flags = {
    "atls policy check [--json] FILE|-",
    "Reads a policy, says what is wrong with it (line and column), and warns of what it leaves open.\n"
    "Exit status 0: it can be used; 1: it cannot.",
    {own_flags},
};
static const flags explain_flags = {
    "atls policy explain FILE|-",
    "Tells in plain words what a policy accepts.",
    {NULL},
};

/* 0 when read; else the exit status, and *done is set for --help too. */
static int open_policy(const flags *f, int argc, char **argv, bool *json, bool *done,
                       atls_policy **out)
{
    *done = true;
    flags_begin();
    int id;
    while ((id = flags_next(f, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP) {
            return ATLS_OK;
        }
        if (id == FLAGS_WRONG) {
            return ATLS_E_USAGE;
        }
        *json = true;
    }
    const char *path = NULL;
    if (!flags_one_operand(f, argc, argv, &path)) {
        return ATLS_E_USAGE;
    }
    input in = {0};
    atls_err err = {0};
    if (input_read(path, INPUT_JSON_MAX, ATLS_E_USAGE, "policy.size", &in, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    atls_code rc = atls_policy_parse(input_buf(&in), out, &err);
    input_clear(&in);
    if (rc != ATLS_OK) {
        return say_err(&err, path);
    }
    *done = false;
    return ATLS_OK;
}

static void print_hash(const atls_policy *policy)
{
    uint8_t hash[32];
    atls_policy_hash(policy, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        printf("%02x", hash[i]);
    }
}

static void print_json(const atls_policy *policy)
{
    printf("{\"ok\":true,\"policy_sha256\":\"");
    print_hash(policy);
    printf("\",\"workloads\":[");
    for (size_t i = 0; i < atls_policy_workloads(policy); i++) {
        fputs(i > 0 ? "," : "", stdout);
        output_json_string(stdout, atls_policy_workload_name(policy, i));
    }
    printf("],\"warnings\":[");
    const char *warning;
    for (size_t i = 0; (warning = atls_policy_warning(policy, i)) != NULL; i++) {
        fputs(i > 0 ? "," : "", stdout);
        output_json_string(stdout, warning);
    }
    printf("]}\n");
}

static int run_check(int argc, char **argv)
{
    bool json = false;
    bool done = false;
    atls_policy *policy = NULL;
    int status = open_policy(&check_flags, argc, argv, &json, &done, &policy);
    if (done) {
        return status;
    }
    if (json) {
        print_json(policy);
    } else {
        const char *warning;
        for (size_t i = 0; (warning = atls_policy_warning(policy, i)) != NULL; i++) {
            fprintf(stderr, "warning: %s\n", warning);
        }
        printf("ok: %zu workload%s, sha256 ", atls_policy_workloads(policy),
               atls_policy_workloads(policy) == 1 ? "" : "s");
        print_hash(policy);
        printf("\n");
    }
    atls_policy_free(policy);
    return ATLS_OK;
}

static int run_explain(int argc, char **argv)
{
    bool json = false;
    bool done = false;
    atls_policy *policy = NULL;
    int status = open_policy(&explain_flags, argc, argv, &json, &done, &policy);
    if (done) {
        return status;
    }
    char *text = atls_policy_explain(policy);
    if (text == NULL) {
        status = say_refusal(ATLS_E_SYSTEM, "system.memory", "out of memory");
    } else {
        fputs(text, stdout);
    }
    atls_free(text);
    atls_policy_free(policy);
    return status;
}

int command_policy(int argc, char **argv)
{
    static const command table[] = {
        {"check", "is it sound? warns of what it leaves open", run_check},
        {"explain", "what it accepts, in plain words", run_explain},
        {"learn", "a policy out of evidence that is known to be good", policy_learn},
        {"diff", "what another policy accepts that this one does not", policy_diff},
        {"convert", "from and to the policies of others", policy_convert},
        {NULL, NULL, NULL},
    };
    return command_dispatch("atls policy", "Works with policies: what is accepted of a peer.",
                            table, argc, argv);
}
