#include "store/store.h"
#include "verify/verify.h"

atls_code atls_verifier_set0_store(atls_verifier *v, const atls_store *store, bool live,
                                   atls_err *err)
{
    (void)err; /* for what may be asked of a store later */
    atls_verifier_set0_shelf_place(v, atls_store_get0_place(store), live);
    return ATLS_OK;
}
