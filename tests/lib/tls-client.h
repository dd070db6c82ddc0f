/* tls-client.h - a blocking client for the server under test, run on a thread beside the main loop. */
#ifndef REC_TEST_TLS_CLIENT_H
#define REC_TEST_TLS_CLIENT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TestClient TestClient;

/* Connects and shakes hands, without looking at the certificate. NULL when refused. Nothing waits longer than 10 s. */
TestClient *test_client_new (unsigned port);
/* source: another address of the loopback interface, or NULL. */
TestClient *test_client_new_from (unsigned port, const char *source);
/* The same without TLS: an owned socket, or -1. */
int test_connect (unsigned port, const char *source);
void test_client_free (TestClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestClient, test_client_free)

/* False when the connection is gone. */
bool test_client_write (TestClient *client, const void *data, size_t size);
/* Bytes read; 0 at the end of the connection, -1 when nothing came within timeout_ms. */
int test_client_read (TestClient *client, void *data, size_t size, int timeout_ms);

typedef struct {
  unsigned status; /* 0: the connection ended without an answer */
  char *head;      /* status line and headers */
  GString *body;
} TestResponse;

/* Reads one answer; without_body for HEAD. */
TestResponse *test_client_read_response (TestClient *client, bool without_body);
void test_response_free (TestResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestResponse, test_response_free)
/* Free it; NULL when absent. */
char *test_response_dup_header (const TestResponse *response, const char *name);

/* Sends text as it is and reads the answer. */
TestResponse *test_client_ask (TestClient *client, const char *text);
/* The same on a connection of its own. */
TestResponse *test_ask (unsigned port, const char *text);

/* GET /openvidu as browsers do; false when it isn't accepted. */
bool test_client_upgrade (TestClient *client, const char *target);
/* One masked frame; first_byte holds FIN and the opcode. */
bool test_client_send_frame (TestClient *client, uint8_t first_byte, const void *data, size_t size);
/* The opcode of one frame of the server, -1 at the end of the connection. Free *payload. */
int test_client_read_frame (TestClient *client, char **payload, size_t *size);

/* Runs function on a thread and the default main context here until it returns. */
void test_run_beside_loop (void (*function) (void *data), void *data);

#endif
