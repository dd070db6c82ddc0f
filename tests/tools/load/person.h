/* person.h - one participant: comes in, publishes, watches others, and leaves. [main] */
#ifndef RECTO_LOAD_PERSON_H
#define RECTO_LOAD_PERSON_H

#include "peer.h"
#include "rest.h"
#include "sender.h"

typedef struct LoadPerson LoadPerson;

typedef struct {
  const LoadServer *server;
  const char *session, *name; /* what others see as the connection's data */
  const char *data;           /* NULL: {"clientData": name} */
  const char *codec;
  const LoadFormat *format;
  LoadSender *sender;
  const LoadMedia *media; /* NULL: publishes nothing */
  bool has_audio, has_video;
  unsigned max_watched; /* streams of others */
  LoadLook look;
} LoadPersonSettings;

typedef struct {
  unsigned joined, published, watched; /* how often; streams */
  unsigned refused;                    /* streams that the server didn't give */
  LoadSent sent;
  LoadReceived received;
  GArray *joins_ms, *first_pictures_ms; /* of int */
} LoadTally;

typedef struct {
  void (*settled) (LoadPerson *person, void *data); /* is in, and publishes if it shall */
  void (*left) (LoadPerson *person, void *data);    /* as asked; the last event */
  void (*failed) (LoadPerson *person, const char *why, void *data); /* the last event */
} LoadPersonEvents;

/* Settings and tally are borrowed, and outlive it. */
LoadPerson *load_person_new (const LoadPersonSettings *settings, LoadTally *tally,
    const LoadPersonEvents *events, void *data);
void load_person_leave (LoadPerson *person);
/* Ends it without a word to the server, if it is still in. Adds to the tally. */
void load_person_free (LoadPerson *person);
const char *load_person_get_name (const LoadPerson *person);

void load_tally_init (LoadTally *tally);
void load_tally_clear (LoadTally *tally);

#endif
