/* attest.h: evidence of the machine that this program runs on, from the kernel's or the platform's own interface.
 * Of libatls-attest, which verification does not need. docs/attesting.md tells which sources there are, in which order
 * they are tried, and what each of them wants. */
#ifndef ATLS_ATTEST_H
#define ATLS_ATTEST_H

#include <atls/attester.h>
#include <atls/types.h>

/* All zero is the usual. Strings are borrowed until the attester is freed. */
typedef struct atls_attest_options {
    const char
        *type; /* of the evidence: "tdx", "snp", "sgx", "cca", "nitro", ...; NULL or "auto": any */
    const char
        *source; /* "tsm", "dstack", ...: this one only; NULL: each that makes the type, in order */
    uint32_t
        timeout_ms; /* for one piece of evidence, waits and repetitions included; 0: 30,000. One call into a
                          * kernel or firmware that is at work can take longer: nobody can call it back. */
    const char *tsm_dir; /* NULL: /sys/kernel/config/tsm/report */
    const char
        *snp_vmpl; /* "0" to "3": the level that the report is to name; NULL: the kernel's own */
    const char *tdx_device;  /* NULL: /dev/tdx_guest */
    const char *tdx_conf;    /* names the port of the quote service; NULL: /etc/tdx-attest.conf */
    const char *tdx_qgs;     /* quote service, instead: "vsock:CID:PORT" or "unix:PATH" */
    const char *sev_device;  /* NULL: /dev/sev-guest */
    const char *gramine_dir; /* NULL: /dev/attestation */
    const char *
        dstack_socket; /* NULL: the first there is of /var/run/dstack.sock, /var/run/dstack/dstack.sock,
                                * /var/run/tappd.sock */
    const char *nsm_device; /* NULL: /dev/nsm */
    const struct atls_tpm_options *tpm; /* for types tpm and azure, see atls/tpm.h; NULL: the usual */
} atls_attest_options;

/* Finds a source and gets it ready; no evidence is made yet. The attester is named by the type of its evidence, may be
 * used from many threads at once, and is freed with atls_attester_free. ATLS_E_USAGE "attest.type", "attest.source",
 * "attest.option" for words that are not known; otherwise the source's own failure, or, when several were tried in
 * vain, ATLS_E_SYSTEM "attest.none": atls_attest_probe tells all of the reasons. */
ATLS_API ATLS_MUST_USE atls_code atls_attester_open(const atls_attest_options *options,
                                                    atls_attester **out, atls_err *err);

/* What became of one source. The strings are static, but for why. */
typedef struct atls_attest_probe {
    const char *source;
    const char *type;  /* what it makes here; NULL: nothing */
    bool absent;       /* there is nothing of the kind here */
    const char *check; /* NULL with a type: why not */
    char why[ATLS_ERR_MSG_LEN];
} atls_attest_probe;

/* Looks at the source with index i of those that the options allow, in the order in which they are tried; makes no
 * evidence. False: i is past the last. */
ATLS_API bool atls_attest_probe_at(const atls_attest_options *options, size_t i,
                                   atls_attest_probe *out);

#endif
