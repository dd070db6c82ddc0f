/* mhd.h - libmicrohttpd's untyped calls, typed: what a connection is, headers in, answers out. [http] */
#ifndef REC_API_MHD_H
#define REC_API_MHD_H

#include "api/request.h"

#include <microhttpd.h>

int rec_mhd_get_fd (struct MHD_Connection *connection);
/* What the connection's notification stored. */
void *rec_mhd_get_context (struct MHD_Connection *connection);
/* 0 before the headers are there. */
size_t rec_mhd_get_header_size (struct MHD_Connection *connection);
/* Free it. */
char *rec_mhd_dup_address (struct MHD_Connection *connection);

/* False when a proxy in front of us might see another end of the request's body than the library does: what follows
 * would then be taken for a request that nobody has checked. */
bool rec_mhd_has_clear_end (struct MHD_Connection *connection);
void rec_mhd_copy_headers (struct MHD_Connection *connection, RecHttpRequest *request);
/* Queues the request's answer, whose body or file it takes. */
enum MHD_Result rec_mhd_send_answer (struct MHD_Connection *connection, RecHttpRequest *request);

#endif
