/* The payload of atls/1: evidence of one type in parts, its place in a batch, what is said of an attachment.
 * Names and sizes are judged here; what the parts say is for the verifier. */
#include "binding/atls1.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/reader.h"
#include "base/writer.h"
#include "claims/evidence_parts.h"
#include "codec/cbor.h"

#define CMW_EVIDENCE 4 /* the record's ind */
/* type, the parts, index, size, path, attachment_sha256, attachment_length */
#define MEMBERS_MAX (1 + ATLS_EVIDENCE_PARTS + 3 + 2)

typedef struct member {
    atls_cbor_item name, value;
} member;

typedef struct members {
    member at[MEMBERS_MAX];
    size_t n;
} members;

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static bool is_text(const atls_cbor_item *item, const char *s)
{
    return item->kind == ATLS_CBOR_TEXT && item->bytes.len == strlen(s) &&
           memcmp(item->bytes.ptr, s, item->bytes.len) == 0;
}

/* --- reading --- */

static atls_code not_cbor(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "payload.cbor",
                    "not CBOR in its deterministic form, or bytes are left over");
}

/* [media type, bytes, 4], and nothing behind it. */
static atls_code open_record(atls_buf cmw, atls_buf *map, atls_err *err)
{
    atls_reader r = atls_reader_of(cmw);
    atls_cbor_item head = {0}, media_type = {0}, bytes = {0}, kind = {0};
    if (!atls_cbor_next(&r, &head)) {
        return not_cbor(err);
    }
    if (head.kind == ATLS_CBOR_ARRAY && head.value == 3) {
        if (!atls_cbor_next(&r, &media_type) || !atls_cbor_next(&r, &bytes) ||
            !atls_cbor_next(&r, &kind) || !atls_reader_end(&r)) {
            return not_cbor(err);
        }
    }
    if (!is_text(&media_type, ATLS1_MEDIA_TYPE) || bytes.kind != ATLS_CBOR_BYTES ||
        kind.kind != ATLS_CBOR_UINT || kind.value != CMW_EVIDENCE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "payload.record",
                        "not a CMW record of %s, bytes, and 4 for evidence", ATLS1_MEDIA_TYPE);
    }
    *map = bytes.bytes;
    return ATLS_OK;
}

static atls_code read_members(atls_buf map, members *out, atls_err *err)
{
    atls_reader r = atls_reader_of(map);
    atls_cbor_item head = {0};
    if (!atls_cbor_next(&r, &head)) {
        return not_cbor(err);
    }
    if (head.kind != ATLS_CBOR_MAP || head.value > MEMBERS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "payload.member", "not a map of at most %d members",
                        MEMBERS_MAX);
    }
    for (size_t i = 0; i < head.value; i++) {
        member *m = &out->at[i];
        if (!atls_cbor_next(&r, &m->name) || !atls_cbor_next(&r, &m->value)) {
            return not_cbor(err);
        }
        if (m->name.kind != ATLS_CBOR_TEXT || m->value.kind == ATLS_CBOR_ARRAY ||
            m->value.kind == ATLS_CBOR_MAP) {
            return ATLS_ERR(err, ATLS_E_INVALID, "payload.member",
                            "member %zu has a name that is no text, or an array or map in it", i);
        }
        int order = i == 0 ? -1 : atls_cbor_compare(out->at[i - 1].name.encoded, m->name.encoded);
        if (order >= 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, order == 0 ? "payload.duplicate" : "payload.order",
                            "member %zu %s", i,
                            order == 0 ? "is there twice" : "does not stand in the order of keys");
        }
        out->n = i + 1;
    }
    return atls_reader_end(&r) ? ATLS_OK : not_cbor(err);
}

/* Takes a member out, so that those left over are known to be parts. NULL: there is none. */
static const atls_cbor_item *take(members *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++) {
        if (is_text(&m->at[i].name, name)) {
            m->at[i].name.kind = ATLS_CBOR_NONE;
            return &m->at[i].value;
        }
    }
    return NULL;
}

static atls_code read_batch(members *m, atls1_payload *out, atls_err *err)
{
    const atls_cbor_item *index = take(m, "index");
    const atls_cbor_item *size = take(m, "size");
    const atls_cbor_item *path = take(m, "path");
    if (index == NULL && size == NULL && path == NULL) {
        return ATLS_OK;
    }
    if (index == NULL || size == NULL || path == NULL || index->kind != ATLS_CBOR_UINT ||
        size->kind != ATLS_CBOR_UINT || path->kind != ATLS_CBOR_BYTES ||
        index->value > UINT32_MAX || size->value > UINT32_MAX || path->bytes.len > ATLS1_PATH_MAX) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "payload.batch",
            "a batch has index and size (numbers of 32 bits) and path (at most %d bytes)",
            ATLS1_PATH_MAX);
    }
    out->batched = true;
    out->index = (uint32_t)index->value;
    out->size = (uint32_t)size->value;
    out->path = path->bytes;
    return ATLS_OK;
}

static atls_code read_attachment(members *m, atls1_payload *out, atls_err *err)
{
    const atls_cbor_item *hash = take(m, "attachment_sha256");
    const atls_cbor_item *len = take(m, "attachment_length");
    if (hash == NULL && len == NULL) {
        return ATLS_OK;
    }
    if (hash == NULL || len == NULL || hash->kind != ATLS_CBOR_BYTES || hash->bytes.len != 32 ||
        len->kind != ATLS_CBOR_UINT || len->value == 0 || len->value > ATLS1_ATTACHMENT_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "payload.attachment",
                        "an attachment has attachment_sha256 and attachment_length (1 to %d)",
                        ATLS1_ATTACHMENT_MAX);
    }
    out->has_attachment = true;
    memcpy(out->attachment_sha256, hash->bytes.ptr, 32);
    out->attachment_len = (uint32_t)len->value;
    return ATLS_OK;
}

/* What is left must be parts of the type: byte strings, not empty. */
static atls_code read_parts(const members *m, const atls_evidence_type *type, atls_evidence *out,
                            atls_err *err)
{
    atls_buf found[ATLS_PARTS_OF_A_TYPE] = {{NULL, 0}};
    for (size_t i = 0; i < m->n; i++) {
        const member *part = &m->at[i];
        if (part->name.kind == ATLS_CBOR_NONE) {
            continue; /* taken */
        }
        size_t place = atls_evidence_type_part(type, part->name.bytes);
        if (place == ATLS_PARTS_OF_A_TYPE || part->value.kind != ATLS_CBOR_BYTES ||
            part->value.bytes.len == 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "payload.member",
                            "member %zu is no part of evidence of type %s, or no bytes", i,
                            type->name);
        }
        found[place] = part->value.bytes;
    }
    out->type = type->name;
    for (size_t place = 0; type->parts[place] != NULL; place++) {
        if (found[place].len == 0 && place < type->needed) {
            return ATLS_ERR(err, ATLS_E_INVALID, "payload.missing",
                            "evidence of type %s needs the part %s", type->name,
                            type->parts[place]);
        }
        if (found[place].len == 0) {
            continue;
        }
        if (out->parts_n == ATLS_EVIDENCE_PARTS) {
            return ATLS_ERR(err, ATLS_E_INVALID, "payload.member", "more than %d parts",
                            ATLS_EVIDENCE_PARTS);
        }
        out->parts[out->parts_n].name = type->parts[place];
        out->parts[out->parts_n].bytes = found[place];
        out->parts_n++;
    }
    return ATLS_OK;
}

atls_code atls1_payload_parse(atls_buf cmw, atls1_payload *out, atls_err *err)
{
    if (cmw.len > ATLS_EA_CMW_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "payload.size", "%zu bytes, where %d are allowed",
                        cmw.len, ATLS_EA_CMW_MAX);
    }
    atls1_payload p = {0};
    members m = {0};
    atls_buf map = {0};
    ATLS_TRY(open_record(cmw, &map, err));
    ATLS_TRY(read_members(map, &m, err));
    const atls_cbor_item *type_name = take(&m, "type");
    const atls_evidence_type *type = type_name == NULL || type_name->kind != ATLS_CBOR_TEXT
                                         ? NULL
                                         : atls_evidence_type_find(type_name->bytes);
    if (type == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "payload.type",
                        "the evidence has no type, or one that is not known");
    }
    ATLS_TRY(read_batch(&m, &p, err));
    ATLS_TRY(read_attachment(&m, &p, err));
    ATLS_TRY(read_parts(&m, type, &p.evidence, err));
    *out = p;
    return ATLS_OK;
}

/* --- writing --- */

typedef struct field {
    const char *name;
    atls_cbor_kind kind;
    uint64_t number;
    atls_buf bytes;
} field;

/* Deterministic order of short text keys: the length stands in the head, so the shorter comes first. */
static int compare_fields(const void *a, const void *b)
{
    const char *x = ((const field *)a)->name;
    const char *y = ((const field *)b)->name;
    const size_t i = strlen(x), j = strlen(y);
    return i != j ? (i > j) - (i < j) : strcmp(x, y);
}

static size_t list_fields(const atls1_payload *p, field out[MEMBERS_MAX])
{
    size_t n = 0;
    out[n++] = (field){.name = "type", .kind = ATLS_CBOR_TEXT, .bytes = text_of(p->evidence.type)};
    for (size_t i = 0; i < p->evidence.parts_n; i++) {
        out[n++] = (field){.name = p->evidence.parts[i].name,
                           .kind = ATLS_CBOR_BYTES,
                           .bytes = p->evidence.parts[i].bytes};
    }
    if (p->batched) {
        out[n++] = (field){.name = "index", .kind = ATLS_CBOR_UINT, .number = p->index};
        out[n++] = (field){.name = "size", .kind = ATLS_CBOR_UINT, .number = p->size};
        out[n++] = (field){.name = "path", .kind = ATLS_CBOR_BYTES, .bytes = p->path};
    }
    if (p->has_attachment) {
        out[n++] = (field){.name = "attachment_sha256",
                           .kind = ATLS_CBOR_BYTES,
                           .bytes = {p->attachment_sha256, 32}};
        out[n++] = (field){
            .name = "attachment_length", .kind = ATLS_CBOR_UINT, .number = p->attachment_len};
    }
    return n;
}

/* What must hold for the writing itself; the rest is judged by reading what was written. */
static atls_code check_evidence(const atls_evidence *e, atls_err *err)
{
    bool named = e->parts_n <= ATLS_EVIDENCE_PARTS;
    for (size_t i = 0; named && i < e->parts_n; i++) {
        named = e->parts[i].name != NULL;
    }
    if (e->type == NULL || !named) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, e->type == NULL ? "payload.type" : "payload.member",
            "evidence without a type, with a part without a name, or of more than %d parts",
            ATLS_EVIDENCE_PARTS);
    }
    return ATLS_OK;
}

/* Bytes that the map takes at most, as far as a payload may have them: a head is of nine bytes or fewer. */
static size_t map_room(const field *fields, size_t n)
{
    size_t room = 9;
    for (size_t i = 0; i < n; i++) {
        const size_t left = ATLS_EA_CMW_MAX - room;
        const size_t head = 9 + strlen(fields[i].name) + 9;
        if (head > left || fields[i].bytes.len > left - head) {
            return ATLS_EA_CMW_MAX;
        }
        room += head + fields[i].bytes.len;
    }
    return room;
}

static void write_map(atls_writer *w, const field *fields, size_t n)
{
    atls_cbor_write_head(w, ATLS_CBOR_MAP, n);
    for (size_t i = 0; i < n; i++) {
        atls_cbor_write_string(w, ATLS_CBOR_TEXT, text_of(fields[i].name));
        if (fields[i].kind == ATLS_CBOR_UINT) {
            atls_cbor_write_head(w, ATLS_CBOR_UINT, fields[i].number);
        } else {
            atls_cbor_write_string(w, fields[i].kind, fields[i].bytes);
        }
    }
}

atls_code atls1_payload_encode(const atls1_payload *payload, uint8_t **out, size_t *out_len,
                               atls_err *err)
{
    ATLS_TRY(check_evidence(&payload->evidence, err));
    field fields[MEMBERS_MAX];
    const size_t n = list_fields(payload, fields);
    qsort(fields, n, sizeof fields[0], compare_fields);
    /* The map is written behind the room that the record's head takes at most, and moved to it. */
    const size_t head_max = 1 + 2 + sizeof ATLS1_MEDIA_TYPE + 5;
    const size_t room = map_room(fields, n);
    uint8_t *space = malloc(head_max + room);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer inner = atls_writer_of(space + head_max, room);
    write_map(&inner, fields, n);
    const atls_buf map = atls_writer_done(&inner);
    atls_writer w = atls_writer_of(space, head_max);
    atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, 3);
    atls_cbor_write_string(&w, ATLS_CBOR_TEXT, text_of(ATLS1_MEDIA_TYPE));
    atls_cbor_write_head(&w, ATLS_CBOR_BYTES, map.len);
    const size_t head = atls_writer_done(&w).len;
    const size_t len = head + map.len + 1;
    if (!atls_writer_ok(&inner) || head == 0 || len > ATLS_EA_CMW_MAX) {
        free(space);
        return ATLS_ERR(err, ATLS_E_USAGE, "payload.size", "the payload takes more than %d bytes",
                        ATLS_EA_CMW_MAX);
    }
    memmove(space + head, map.ptr, map.len);
    space[len - 1] = CMW_EVIDENCE;
    atls1_payload again;
    if (atls1_payload_parse((atls_buf){space, len}, &again, err) != ATLS_OK) {
        free(space); /* what a peer would refuse is not sent */
        if (err != NULL) {
            err->code = ATLS_E_USAGE;
        }
        return ATLS_E_USAGE;
    }
    *out = space;
    *out_len = len;
    return ATLS_OK;
}

atls_code atls1_payload_build(const atls_evidence_blob *evidence, uint8_t **out, size_t *out_len,
                              atls_err *err)
{
    atls1_payload p = {0};
    p.evidence.type = evidence->type;
    p.evidence.parts_n = evidence->parts_n;
    for (size_t i = 0; i < evidence->parts_n && i < ATLS_EVIDENCE_PARTS; i++) {
        p.evidence.parts[i].name = evidence->parts[i].name;
        p.evidence.parts[i].bytes = (atls_buf){evidence->parts[i].bytes, evidence->parts[i].len};
    }
    return atls1_payload_encode(&p, out, out_len, err);
}
