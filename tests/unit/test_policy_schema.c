/* docs/policy.schema.json takes what the parser takes: every key, its sizes and its words, both ways. And the
 * examples are policies. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "policy/parse.h"
#include "policy/policy.h"

static json_t *schema;

static const char *in_source(const char *path)
{
    static char whole[4096];
    const char *root = getenv("ATLS_SOURCE_ROOT");
    assert_non_null(root);
    (void)snprintf(whole, sizeof whole, "%s/%s", root, path);
    return whole;
}

static int load(void **state)
{
    (void)state;
    json_error_t error;
    schema = json_load_file(in_source("docs/policy.schema.json"), JSON_REJECT_DUPLICATES, &error);
    return schema != NULL ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(schema);
    return 0;
}

/* The schema of an object: the whole, or one of $defs. */
static json_t *definition(const char *name)
{
    json_t *def = strcmp(name, "policy") == 0
                      ? schema
                      : json_object_get(json_object_get(schema, "$defs"), name);
    if (!json_is_object(def) || !json_is_false(json_object_get(def, "additionalProperties"))) {
        fail_msg("the schema has no closed object %s", name);
    }
    return def;
}

static bool requires(const json_t *def, const char *key)
{
    const json_t *list = json_object_get(def, "required");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), key) == 0) {
            return true;
        }
    }
    return false;
}

static void every_key_stands_in_both(void **state)
{
    (void)state;
    const atls_policy_object *o;
    for (size_t i = 0; (o = atls_policy_object_at(i)) != NULL; i++) {
        const json_t *def = definition(o->name);
        const json_t *properties = json_object_get(def, "properties");
        assert_int_equal(json_object_size(properties), o->keys_n + 1); /* and why */
        assert_non_null(json_object_get(properties, "why"));
        for (size_t k = 0; k < o->keys_n; k++) {
            if (json_object_get(properties, o->keys[k].name) == NULL ||
                requires(def, o->keys[k].name) != o->keys[k].is_required) {
                fail_msg("%s.%s differs", o->name, o->keys[k].name);
            }
        }
    }
}

/* {"items":{"pattern": of so many bytes}} */
static void check_hex(const json_t *p, size_t size)
{
    char pattern[40];
    (void)snprintf(pattern, sizeof pattern, "^[0-9a-fA-F]{%zu}$", 2 * size);
    assert_string_equal(json_string_value(json_object_get(json_object_get(p, "items"), "pattern")),
                        pattern);
}

/* A number, or hex text of it. */
static void check_number(const json_t *p, size_t size)
{
    const json_t *maximum =
        json_object_get(json_array_get(json_object_get(p, "oneOf"), 0), "maximum");
    if (size < 8) {
        assert_true(json_integer_value(maximum) == (INT64_C(1) << 8 * size) - 1);
    } else {
        assert_non_null(maximum);
    }
}

static void check_register(const json_t *properties, const atls_register *reg, const char *key)
{
    const json_t *p = json_object_get(properties, key);
    const char *pattern = json_string_value(json_object_get(p, "pattern"));
    if (p == NULL) {
        fail_msg("the schema lacks %s", key);
    }
    switch (reg->kind) {
    case ATLS_REGISTER_BYTES:
        check_hex(p, reg->size);
        break;
    case ATLS_REGISTER_DIGEST:
        pattern = json_string_value(json_object_get(json_object_get(p, "items"), "pattern"));
        assert_string_equal(pattern, "^([0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})$");
        break;
    case ATLS_REGISTER_BITS_SET:
    case ATLS_REGISTER_BITS_CLEAR:
        assert_string_equal(pattern, "^0x[0-9a-fA-F]{1,16}$");
        break;
    case ATLS_REGISTER_TRUE:
        assert_true(json_is_true(json_object_get(p, "const")));
        break;
    case ATLS_REGISTER_EQUAL:
    case ATLS_REGISTER_MIN:
    case ATLS_REGISTER_MAX:
        check_number(p, reg->size);
        break;
    case ATLS_REGISTER_NAMED:
        assert_string_equal(json_string_value(json_object_get(p, "type")), "object");
        break;
    default:
        assert_string_equal(json_string_value(json_object_get(p, "type")), "array");
        break;
    }
}

/* The object that a register stands in: the set's, or that of its group. */
static const json_t *properties_around(const json_t *set, const atls_register *reg)
{
    return reg->group == NULL ? set
                              : json_object_get(json_object_get(set, reg->group), "properties");
}

static size_t leaves(const json_t *properties)
{
    const char *name;
    json_t *member;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)properties, name, member)
    {
        const json_t *inner = json_object_get(member, "properties");
        n += strcmp(name, "why") == 0 ? 0 : inner != NULL ? leaves(inner) : 1;
    }
    return n;
}

static void every_register_stands_in_both(void **state)
{
    (void)state;
    size_t owners = 0;
    const json_t *owner = json_object_get(definition("owner"), "properties");
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        size_t n;
        char name[16];
        const atls_register *table = atls_registers((atls_tee)t, &n);
        if (t == ATLS_TEE_DUMMY || t == ATLS_TEE_SNP_TPM) { /* nothing; what its halves have */
            assert_int_equal(n, 0);
            continue;
        }
        assert_non_null(table);
        (void)snprintf(name, sizeof name, "%s_set", atls_tee_name((atls_tee)t));
        const json_t *properties = json_object_get(definition(name), "properties");
        assert_int_equal(leaves(properties), n);
        for (size_t i = 0; i < n; i++) {
            check_register(properties_around(properties, &table[i]), &table[i], table[i].key);
            assert_non_null(table[i].why);
            if (table[i].owner_id != NULL) {
                check_register(owner, &table[i], atls_register_owner_key(&table[i]));
                owners++;
            }
        }
    }
    assert_int_equal(leaves(owner), owners);
}

static void every_pin_stands_in_both(void **state)
{
    (void)state;
    const json_t *properties = json_object_get(definition("platforms"), "properties");
    assert_int_equal(leaves(properties), ATLS_PINS);
    for (size_t i = 0; i < ATLS_PINS; i++) {
        const json_t *p = json_object_get(properties, atls_pin_at(i)->key);
        assert_non_null(p);
        if (atls_pin_at(i)->kind == ATLS_PIN_BYTES) {
            check_hex(p, atls_pin_at(i)->size);
        }
    }
}

static bool is_listed(const json_t *list, const char *word)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), word) == 0) {
            return true;
        }
    }
    return false;
}

static const json_t *words_of(const char *object, const char *key)
{
    const json_t *p = json_object_get(json_object_get(definition(object), "properties"), key);
    return json_object_get(json_object_get(p, "items"), "enum");
}

static void every_word_stands_in_both(void **state)
{
    (void)state;
    const json_t *statuses = words_of("tcb", "statuses");
    assert_int_equal(json_array_size(statuses), ATLS_TCB_REVOKED - 1);
    for (int i = ATLS_TCB_UP_TO_DATE; i < ATLS_TCB_REVOKED; i++) {
        assert_true(is_listed(statuses, atls_tcb_status_name((atls_tcb_status)i)));
    }
    const json_t *bindings = words_of("workload", "bindings");
    size_t n = 0;
    for (; atls_policy_binding_name(n) != NULL; n++) {
        assert_true(is_listed(bindings, atls_policy_binding_name(n)));
    }
    assert_int_equal(json_array_size(bindings), n);
    const json_t *tees = words_of("workload", "tees");
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        assert_true(is_listed(tees, atls_tee_name((atls_tee)t)));
    }
    assert_int_equal(json_array_size(tees), ATLS_TEES - 1);
}

static void parse_file(const char *name)
{
    static char text[65536];
    char path[300];
    (void)snprintf(path, sizeof path, "examples/policies/%s", name);
    FILE *f = fopen(in_source(path), "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    atls_policy *p = NULL;
    atls_err err = {0};
    if (atls_policy_parse((atls_buf){(const uint8_t *)text, len}, &p, &err) != ATLS_OK) {
        fail_msg("%s: %s", name, err.msg);
    }
    char *explained = atls_policy_explain(p);
    assert_non_null(explained);
    atls_free(explained);
    atls_policy_free(p);
}

static void the_examples_are_policies(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *dir = opendir(in_source("examples/policies"));
    assert_non_null(dir);
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        const char *end = strrchr(e->d_name, '.');
        if (end != NULL && strcmp(end, ".json") == 0) {
            parse_file(e->d_name);
            n++;
        }
    }
    (void)closedir(dir);
    assert_true(n >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_stands_in_both),
        cmocka_unit_test(every_register_stands_in_both),
        cmocka_unit_test(every_pin_stands_in_both),
        cmocka_unit_test(every_word_stands_in_both),
        cmocka_unit_test(the_examples_are_policies),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
