/* qgs.h: one question to a quote service over a stream socket. */
#ifndef ATLS_ATTEST_QGS_H
#define ATLS_ATTEST_QGS_H

#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "attest/attester.h"

#define QGS_CONF_MAX ((size_t)16 * 1024)

typedef struct qgs_address {
    int family; /* AF_VSOCK, AF_UNIX; 0: none */
    struct sockaddr_vm vm;
    struct sockaddr_un un;
} qgs_address;

/* "vsock:CID:PORT" or "unix:PATH". ATLS_E_USAGE "attest.option". */
atls_code qgs_parse_address(const char *text, qgs_address *out, atls_err *err);

/* The port in the text of /etc/tdx-attest.conf: the first of its lines "port = N" that can be one; '#' begins a comment
 * line. 0: none. */
uint32_t qgs_conf_port(atls_buf text);
qgs_address qgs_host_address(uint32_t port); /* of the machine's host */

/* Sends a request, with its size before it, and takes the response, without; both before the deadline. *response is
 * malloc'ed. "attest.qgs.connect" only if the service got nothing of the request. */
atls_code qgs_ask(const attest_os *os, const qgs_address *address, atls_buf request,
                  int64_t deadline_ms, uint8_t **response, size_t *len, atls_err *err);

#endif
