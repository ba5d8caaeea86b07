/* policy_learn.c: `atls policy learn` and `atls policy diff`: a policy out of what is known to be good, and what a
 * change of a policy changes. */
#include "policy_commands.h"

#include <stdio.h>

#include <getopt.h>

#include <atls/atls.h>

#include "evidence_file.h"
#include "flags.h"
#include "input.h"
#include "say.h"
#include "verifier_setup.h"
#include "wanted.h"

#define FILES_MAX 64

enum { NAME = 0x100, JSON };

/* --- learn --- */

static const flag learn_own[] = {
    {NAME, "name", "TEXT", "of the workload (learned)"},
    {0, NULL, NULL, NULL},
};
static const flags learn_flags = {
    "atls policy learn [options] FILE...",
    "Writes a policy that accepts the evidence given, which must be known to be good. It is judged first,\n"
    "by the built-in rule: what is refused teaches nothing. Every value has a \"why\"; read them, and\n"
    "what the workload says is left open.",
    {learn_own, wanted_flags, verifier_flags, collateral_fetch_flags},
};

typedef struct lesson {
    const char *name;
    wanted wanted;
    verifier_setup setup;
    atls_verdict *verdicts[FILES_MAX];
    size_t verdicts_n;
} lesson;

static int take_lesson(lesson *l, int argc, char **argv)
{
    flags_begin();
    int id;
    while ((id = flags_next(&learn_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id;
        }
        int taken = wanted_take(&l->wanted, id, optarg);
        if (id == NAME) {
            l->name = optarg;
        } else if (taken == FLAGS_WRONG ||
                   (taken == 0 && !verifier_setup_take(&l->setup, id, optarg))) {
            return FLAGS_WRONG;
        }
    }
    if (l->setup.policy != NULL) {
        (void)say_refusal(ATLS_E_USAGE, "usage.argument",
                          "--policy: evidence is learned from under the built-in rule");
        return FLAGS_WRONG;
    }
    if (optind == argc || argc - optind > FILES_MAX) {
        (void)say_refusal(ATLS_E_USAGE, "usage.operand", "1 to %d files are wanted", FILES_MAX);
        return FLAGS_WRONG;
    }
    return FLAGS_END;
}

/* 0 when the file was accepted; else the exit status, and the reason has been said. */
static int judge_file(lesson *l, const atls_verifier *verifier, const char *path)
{
    atls_err err = {0};
    evidence_file file = {0};
    atls_verdict *verdict = NULL;
    if (evidence_file_read(path, l->wanted.format, &file, &err) == ATLS_OK) {
        verdict = atls_verifier_check(verifier, evidence_file_get0(&file), &l->wanted.expected,
                                      l->wanted.at_s, &err);
    }
    evidence_file_clear(&file);
    if (verdict == NULL) {
        return say_err(&err, path);
    }
    l->verdicts[l->verdicts_n++] = verdict;
    if (atls_verdict_accepted(verdict)) {
        return ATLS_OK;
    }
    return say_refusal(atls_verdict_code(verdict), atls_verdict_check(verdict), "%s: %s", path,
                       atls_verdict_message(verdict));
}

static int write_policy(const lesson *l)
{
    atls_err err = {0};
    char *text = NULL;
    if (atls_policy_learn((const atls_verdict *const *)l->verdicts, l->verdicts_n, l->name, &text,
                          &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    printf("%s\n", text);
    atls_free(text);
    fprintf(stderr, "learned from %zu piece%s of evidence; what is left open, the policy says\n",
            l->verdicts_n, l->verdicts_n == 1 ? "" : "s");
    return fflush(stdout) == 0
               ? ATLS_OK
               : say_refusal(ATLS_E_SYSTEM, "output.write", "the policy could not be written");
}

int policy_learn(int argc, char **argv)
{
    lesson l = {.name = "learned", .wanted = wanted_default()};
    int parsed = take_lesson(&l, argc, argv);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    atls_err err = {0};
    verifier_kit kit = {0};
    int first = optind;
    l.setup.evidence = argv[first];
    int status =
        verifier_setup_make(&l.setup, !l.wanted.is_past, l.wanted.at_s, &kit, &err) == ATLS_OK
            ? ATLS_OK
            : say_err(&err, NULL);
    for (int i = first; i < argc && status == ATLS_OK; i++) {
        status = judge_file(&l, kit.verifier, argv[i]);
    }
    if (status == ATLS_OK) {
        status = write_policy(&l);
    }
    for (size_t i = 0; i < l.verdicts_n; i++) {
        atls_verdict_free(l.verdicts[i]);
    }
    verifier_kit_clear(&kit);
    return status;
}

/* --- diff --- */

static const flag diff_own[] = {
    {JSON, "json", NULL, "one JSON object on standard output"},
    {0, NULL, NULL, NULL},
};
static const flags diff_flags = {
    "atls policy diff [--json] A B",
    "Tells what policy B accepts that A did not, and the reverse. Exit status 0: both accept the same;\n"
    "5: they differ; 1: one of them cannot be read.",
    {diff_own},
};

static int read_policy(const char *path, atls_policy **out)
{
    input in = {0};
    atls_err err = {0};
    if (input_read(path, INPUT_JSON_MAX, ATLS_E_USAGE, "policy.size", &in, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    atls_code rc = atls_policy_parse(input_buf(&in), out, &err);
    input_clear(&in);
    return rc == ATLS_OK ? ATLS_OK : say_err(&err, path);
}

static int compare(const atls_policy *a, const atls_policy *b, bool json)
{
    bool equal = false;
    char *text = json ? atls_policy_diff(a, b, &equal) : atls_policy_diff_text(a, b, &equal);
    if (text == NULL) {
        return say_refusal(ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    printf("%s%s", text, json ? "\n" : "");
    atls_free(text);
    if (fflush(stdout) != 0) {
        return say_refusal(ATLS_E_SYSTEM, "output.write", "the difference could not be written");
    }
    return equal ? ATLS_OK : ATLS_E_POLICY;
}

int policy_diff(int argc, char **argv)
{
    bool json = false;
    int id;
    flags_begin();
    while ((id = flags_next(&diff_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
        json = true;
    }
    if (argc - optind != 2) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "two policies are wanted: A B");
    }
    atls_policy *a = NULL;
    atls_policy *b = NULL;
    int status = read_policy(argv[optind], &a);
    if (status == ATLS_OK) {
        status = read_policy(argv[optind + 1], &b);
    }
    if (status == ATLS_OK) {
        status = compare(a, b, json);
    }
    atls_policy_free(a);
    atls_policy_free(b);
    return status;
}
