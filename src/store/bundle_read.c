#include "store/bundle_form.h"

#include "base/err.h"

#define VERSION 1

static const uint8_t magic[] = {'A', 'T', 'L', 'S', 'C', 'O', 'L', 'L'};

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void read_magic(atls_reader *r)
{
    /*@ loop invariant 0 <= i <= 8 && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r;
        loop variant 8 - i; */
    for (size_t i = 0; i < sizeof magic; i++) {
        if (atls_reader_u8(r) != magic[i]) {
            atls_reader_fail(r);
        }
    }
}

/* Over n items; their bytes are not looked at. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void skip_items(atls_reader *r, uint32_t n)
{
    /*@ loop invariant 0 <= i <= n && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r;
        loop variant n - i; */
    for (uint32_t i = 0; i < n; i++) {
        (void)atls_reader_view(r, atls_reader_u32le(r));
        if (!atls_reader_ok(r)) {
            return;
        }
    }
}

/*@ requires valid_reader(r) && \valid(f) && \valid(signed_behind) && \separated(r, f, signed_behind);
    assigns *r, *signed_behind, f->scheme, f->key_sha256[0 .. 31], f->signature;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures *signed_behind <= \old(r->left) || *signed_behind == \old(*signed_behind); */
static void read_signature(atls_reader *r, uint8_t scheme, size_t *signed_behind,
                           atls_store_bundle_form *f)
{
    f->scheme = (atls_file_scheme)scheme;
    if (scheme == ATLS_FILE_UNSIGNED) {
        return;
    }
    atls_reader_copy(r, f->key_sha256, sizeof f->key_sha256);
    *signed_behind = r->left;
    const uint16_t len = atls_reader_u16le(r);
    if (scheme > ATLS_FILE_ED25519 || len == 0 || len > ATLS_FILE_SIGNATURE_MAX) {
        atls_reader_fail(r);
    }
    f->signature = atls_reader_view(r, len);
}

atls_code atls_store_bundle_parse(atls_buf bytes, atls_store_bundle_form *out, atls_err *err)
{
    if (bytes.len > ATLS_STORE_BUNDLE_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.size",
                        "a bundle of %zu bytes: the most are %zu", bytes.len,
                        ATLS_STORE_BUNDLE_MAX_LEN);
    }
    atls_store_bundle_form f = {0};
    atls_reader r = atls_reader_of(bytes);
    read_magic(&r);
    const uint16_t version = atls_reader_u16le(&r);
    const uint64_t made = atls_reader_u64le(&r);
    f.n = atls_reader_u32le(&r);
    if (version != VERSION || made > INT64_MAX || f.n > ATLS_STORE_BUNDLE_MAX_ITEMS) {
        atls_reader_fail(&r);
    }
    f.made_s = (int64_t)made;
    atls_reader items = r;
    skip_items(&r, f.n);
    f.items = atls_reader_view(&items, items.left - r.left);
    size_t signed_behind = 0;
    read_signature(&r, atls_reader_u8(&r), &signed_behind, &f);
    const size_t summed_behind = r.left;
    atls_reader_copy(&r, f.checksum, sizeof f.checksum);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.form",
                        "these bytes are no whole bundle of collateral of version %d", VERSION);
    }
    f.signed_part = (atls_buf){bytes.ptr, bytes.len - signed_behind};
    f.summed = (atls_buf){bytes.ptr, bytes.len - summed_behind};
    *out = f;
    return ATLS_OK;
}
