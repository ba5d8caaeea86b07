/* atlas_http_write.c: the request and the head of an answer, byte for byte. */
#include "binding/atlas_http.h"

/* At most 7 digits: a body's length. */
static void put_number(atls_writer *w, size_t v)
{
    size_t unit = 1000000;
    bool began = false;
    while (unit > 0) {
        const uint8_t digit = (uint8_t)(v / unit % 10u);
        if (digit != 0 || began || unit == 1) {
            atls_writer_u8(w, (uint8_t)('0' + digit));
            began = true;
        }
        unit /= 10;
    }
}

void atls_http_put_request(atls_writer *w, atls_buf host, atls_buf body)
{
    atls_writer_text(w, "POST /tdx_quote HTTP/1.1\r\nHost: ");
    atls_writer_bytes(w, host);
    atls_writer_text(w, "\r\nContent-Type: application/json\r\nContent-Length: ");
    put_number(w, body.len);
    atls_writer_text(w, "\r\nConnection: keep-alive\r\n\r\n");
    atls_writer_bytes(w, body);
}

void atls_http_put_response_head(atls_writer *w, unsigned status, size_t body_len, bool closing)
{
    switch (status) {
    case 200:
        atls_writer_text(w, "HTTP/1.1 200 OK\r\n");
        break;
    case 404:
        atls_writer_text(w, "HTTP/1.1 404 Not Found\r\n");
        break;
    case 405:
        atls_writer_text(w, "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\n");
        break;
    case 422:
        atls_writer_text(w, "HTTP/1.1 422 Unprocessable Entity\r\n");
        break;
    default:
        atls_writer_text(w, "HTTP/1.1 400 Bad Request\r\n");
        break;
    }
    atls_writer_text(w, "Content-Type: application/json\r\nContent-Length: ");
    put_number(w, body_len);
    atls_writer_text(w, closing ? "\r\nConnection: close\r\n\r\n"
                                : "\r\nConnection: keep-alive\r\n\r\n");
}
