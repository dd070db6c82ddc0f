/* body-stream.h - hands a body on piece by piece, whole or as the one file of a form, and lets the client wait. [http] */
#ifndef REC_API_BODY_STREAM_H
#define REC_API_BODY_STREAM_H

#include "api/request.h"

#include <microhttpd.h>

/* The headers and request->http.stream are there. */
void rec_body_stream_begin (RecHttpRequest *request, struct MHD_Connection *connection);
/* Takes *n_body bytes, or none of them and suspends the connection. MHD_NO: the rest isn't wanted, hang up. */
enum MHD_Result rec_body_stream_take (RecHttpRequest *request, struct MHD_Connection *connection,
    const char *body, size_t *n_body);
void rec_body_stream_end (RecHttpRequest *request);
/* The request is over, whether its body ended or not. */
void rec_body_stream_clear (RecHttpRequest *request);

#endif
