/* dstack's log: what is taken has a digest for every event, and a name without ':' for every runtime event; twice gives
 * the same. */
#include <assert.h>
#include <string.h>

#include "evidence/log/dstack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_event_list list = {0};
    atls_event_list again = {0};
    atls_err err = {0};
    const atls_buf text = {data, size};
    if (atls_event_list_from_dstack(text, &list, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "log.", 4) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    const atls_code rc = atls_event_list_from_dstack(text, &again, &err);
    assert(rc == ATLS_OK && again.n == list.n && list.n <= ATLS_DSTACK_EVENTS_MAX);
    for (size_t i = 0; i < list.n; i++) {
        const atls_log_event *e = &list.events[i];
        assert(e->index < 4 && e->digest[ATLS_TPM_SHA384].len == 48);
        assert(!e->is_runtime || (e->index == 3 && e->is_bound && strchr(e->name, ':') == NULL));
        assert(strcmp(e->name, again.events[i].name) == 0);
        assert(memcmp(e->digest[ATLS_TPM_SHA384].ptr, again.events[i].digest[ATLS_TPM_SHA384].ptr,
                      48) == 0);
    }
    atls_event_list_clear(&list);
    atls_event_list_clear(&again);
    return 0;
}
