/* One quote for many connections: a Merkle tree (RFC 9162, 2.1), whose levels are halved until one node is
 * left. A node without a neighbour goes up as it is. */
#include "binding/atls1.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/reader.h"

static atls_code node(const uint8_t left[32], const uint8_t right[32], uint8_t out[32],
                      atls_err *err)
{
    static const uint8_t prefix = 0x01;
    const atls_buf pieces[] = {{&prefix, 1}, {left, 32}, {right, 32}};
    return atls_digest(ATLS_SHA256, pieces, 3, out, err);
}

/* The last of an odd number of nodes has no neighbour on its level. */
static bool has_neighbour(uint32_t index, uint32_t width)
{
    return index % 2 != 0 || index + 1 < width;
}

static size_t path_len(uint32_t index, uint32_t size)
{
    size_t len = 0;
    for (uint32_t width = size; width > 1; width = (width + 1) / 2) {
        len += has_neighbour(index, width) ? 32 : 0;
        index /= 2;
    }
    return len;
}

static atls_code check_size(uint32_t size, atls_err *err)
{
    if (size == 0 || size > ATLS1_BATCH_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "batch.size",
                        "a batch of %lu, where 1 to %d are allowed", (unsigned long)size,
                        ATLS1_BATCH_MAX);
    }
    return ATLS_OK;
}

atls_code atls1_root(const uint8_t leaf[32], uint32_t index, uint32_t size, atls_buf path,
                     uint8_t out[32], atls_err *err)
{
    ATLS_TRY(check_size(size, err));
    if (index >= size) {
        return ATLS_ERR(err, ATLS_E_INVALID, "batch.index", "leaf %lu of a batch of %lu",
                        (unsigned long)index, (unsigned long)size);
    }
    if (path.len != path_len(index, size)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "batch.path",
                        "a path of %zu bytes, where leaf %lu of %lu has one of %zu", path.len,
                        (unsigned long)index, (unsigned long)size, path_len(index, size));
    }
    atls_reader r = atls_reader_of(path);
    uint8_t hash[32];
    memcpy(hash, leaf, sizeof hash);
    for (uint32_t width = size; width > 1; width = (width + 1) / 2) {
        if (has_neighbour(index, width)) {
            uint8_t neighbour[32];
            atls_reader_copy(&r, neighbour, sizeof neighbour);
            ATLS_TRY(index % 2 != 0 ? node(neighbour, hash, hash, err)
                                    : node(hash, neighbour, hash, err));
        }
        index /= 2;
    }
    memcpy(out, hash, sizeof hash);
    return ATLS_OK;
}

struct atls1_tree {
    uint32_t size;
    uint8_t nodes[][32]; /* level after level, the leaves first */
};

atls_code atls1_tree_new(const uint8_t (*leaves)[32], uint32_t size, atls1_tree **out,
                         atls_err *err)
{
    ATLS_TRY(check_size(size, err));
    /* Each level has at most (width + 1) / 2 nodes: together at most 2 * size and one a level. */
    atls1_tree *tree = malloc(sizeof *tree + (2 * (size_t)size + 17) * sizeof tree->nodes[0]);
    if (tree == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    tree->size = size;
    memcpy(tree->nodes, leaves, (size_t)size * sizeof tree->nodes[0]);
    uint8_t(*level)[32] = tree->nodes;
    for (uint32_t width = size; width > 1; width = (width + 1) / 2) {
        uint8_t(*above)[32] = level + width;
        for (uint32_t i = 0; i < width; i += 2) {
            if (i + 1 == width) {
                memcpy(above[i / 2], level[i], sizeof level[i]);
            } else if (node(level[i], level[i + 1], above[i / 2], err) != ATLS_OK) {
                free(tree);
                return ATLS_E_SYSTEM;
            }
        }
        level = above;
    }
    *out = tree;
    return ATLS_OK;
}

void atls1_tree_free(atls1_tree *tree)
{
    free(tree);
}

const uint8_t *atls1_tree_get0_root(const atls1_tree *tree)
{
    const uint8_t(*level)[32] = tree->nodes;
    for (uint32_t width = tree->size; width > 1; width = (width + 1) / 2) {
        level += width;
    }
    return level[0];
}

size_t atls1_tree_path(const atls1_tree *tree, uint32_t index, uint8_t out[ATLS1_PATH_MAX])
{
    const uint8_t(*level)[32] = tree->nodes;
    size_t len = 0;
    for (uint32_t width = tree->size; width > 1; width = (width + 1) / 2) {
        if (has_neighbour(index, width)) {
            memcpy(out + len, level[index % 2 != 0 ? index - 1 : index + 1], 32);
            len += 32;
        }
        index /= 2;
        level += width;
    }
    return len;
}
