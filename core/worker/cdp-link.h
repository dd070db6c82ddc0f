/* cdp-link.h - commands to the browser and their answers, over a pair of pipes. [main] */
#ifndef REC_WORKER_CDP_LINK_H
#define REC_WORKER_CDP_LINK_H

#include "worker/cdp.h"

typedef struct RecCdpLink RecCdpLink;

/* The link must not be freed within any of these calls. */
typedef struct {
  void (*event) (const RecCdpMessage *message, void *data);
  void (*closed) (const char *why, void *data); /* once; nothing comes afterwards */
} RecCdpLinkEvents;

/* result may be NULL; failure NULL: it went well. Not called when the link closes first. */
typedef void (*RecCdpAnswered) (RecJson *result, const char *failure, void *data);

/* The descriptors are non-blocking and stay the caller's; close them after the link. */
RecCdpLink *rec_cdp_link_new (int read_fd, int write_fd, const RecCdpLinkEvents *events,
    void *data);
void rec_cdp_link_free (RecCdpLink *link);

/* Takes params (may be NULL). session: "" for the browser itself; answered may be NULL. */
void rec_cdp_link_call (RecCdpLink *link, const char *session, const char *method, RecJson *params,
    RecCdpAnswered answered, void *data);

#endif
