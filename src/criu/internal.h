/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: what a request looks like on the wire, and what is read of a response. */
#ifndef RUNLXC_CRIU_INTERNAL_H
#define RUNLXC_CRIU_INTERNAL_H

#include "criu/criu.h"

/* A criu_req with these options (NULL: none). */
void criu_request(struct criu_options *message, enum criu_type type,
		  const struct criu_options *options);
/* The answer to an event. */
void criu_notify_answer(struct criu_options *message, bool success);

#define CRIU_NOTIFY 6

/* What is of interest in a criu_resp. Texts are NUL-terminated, and cut where they don't fit. */
struct criu_response {
	uint64_t type;
	bool success, mem_track, lazy_pages;
	int error; /* errno, or 0 */
	pid_t pid; /* of a restore or an event; 0: none */
	int version;
	char event[32], message[256];
};

/* -1: that is no criu_resp. */
int criu_response_parse(const char *data, size_t size, struct criu_response *response);

/* The line of CRIU's log that says why it gave up, without its time and place. False: there is
 * none. */
bool criu_log_reason(int directory, const char *file, char *text, size_t size);

#endif
