/* types.h - forward declarations of the structs that cross stages, so that headers include little. */
#ifndef REC_BASE_TYPES_H
#define REC_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* base */
typedef struct RecConfig RecConfig;

/* session */
typedef struct RecConnection RecConnection;
typedef struct RecParticipant RecParticipant;
typedef struct RecRecording RecRecording;
typedef struct RecRecordingProperties RecRecordingProperties;
typedef struct RecRegistry RecRegistry;
typedef struct RecSession RecSession;
typedef struct RecSessionProperties RecSessionProperties;
typedef struct RecStreamInfo RecStreamInfo; /* "RecStream" is the plugin ABI's */

/* media */
typedef struct RecCamera RecCamera;
typedef struct RecFeed RecFeed;
typedef struct RecFeedPipe RecFeedPipe;
typedef struct RecRouter RecRouter;

/* wire */
typedef struct RecControl RecControl;

/* plugin host */
typedef struct RecCatalogue RecCatalogue;
typedef struct RecCatalogueEntry RecCatalogueEntry;

/* recording */
typedef struct RecSupervisor RecSupervisor;

/* signalling */
typedef struct RecSignalClient RecSignalClient;
typedef struct RecSignalServer RecSignalServer;

/* events */
typedef struct RecEvents RecEvents;

/* api */
typedef struct RecHttpRequest RecHttpRequest;
typedef struct RecHttpServer RecHttpServer;

#endif
