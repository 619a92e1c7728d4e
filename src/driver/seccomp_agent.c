/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp agent (config-linux.md, "The Container Process State"): whoever listens on
 * linux.seccomp.listenerPath is told of every process of the container that we start, and gets the
 * listener of its filter.
 */
#include "driver/internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/local_socket.h"

/* The first words are runc's. */
#define NOT_REACHED                                                                                \
	"linux.seccomp.listenerPath: failed to connect with seccomp agent specified in the "       \
	"seccomp profile: \"%s\""

static bool notifies(const struct spec_seccomp *seccomp)
{
	size_t i;

	for (i = 0; seccomp->set && i < seccomp->syscalls_count; i++)
		if (strcmp(seccomp->syscalls[i].action, "SCMP_ACT_NOTIFY") == 0)
			return true;
	return false;
}

/* A relative path is meant from the bundle, as with runc. */
static char *socket_path(const struct spec_seccomp *seccomp, const char *bundle, struct error *err)
{
	const char *path = seccomp->listener_path;
	char *result = NULL;

	if (path[0] == '/')
		result = strdup(path);
	else if (asprintf(&result, "%s/%s", bundle, path) < 0)
		result = NULL;
	if (!result)
		error_errno(err, ENOMEM, "linux.seccomp.listenerPath");
	return result;
}

int seccomp_agent_check(const struct spec *spec, const char *bundle, struct error *err)
{
	const struct spec_seccomp *seccomp = &spec->linux_.seccomp;
	cleanup_free char *path = NULL;
	struct stat st;

	if (!notifies(seccomp))
		return 0;
	path = socket_path(seccomp, bundle, err);
	if (!path)
		return -1;
	if (stat(path, &st) < 0)
		return error_errno(err, errno, NOT_REACHED, path);
	return S_ISSOCK(st.st_mode) ? 0 : error_errno(err, ENOTSOCK, NOT_REACHED, path);
}

static struct json_object *process_state(const struct seccomp_process *process, struct error *err)
{
	const char *metadata = process->spec->linux_.seccomp.listener_metadata;
	cleanup_free char *state =
	    container_state_json(process->state, process->status, false, err);
	struct json_object *root, *names;

	if (!state)
		return NULL;
	root = json_object_new_object();
	names = json_object_new_array();
	json_object_array_add(names, json_object_new_string("seccompFd"));
	json_object_object_add(root, "ociVersion", json_object_new_string(SPEC_OCI_VERSION));
	json_object_object_add(root, "fds", names);
	json_object_object_add(root, "pid", json_object_new_int(process->pid));
	if (metadata)
		json_object_object_add(root, "metadata", json_object_new_string(metadata));
	json_object_object_add(root, "state", json_tokener_parse(state));
	return root;
}

static int tell(const struct seccomp_process *process, int listener, struct error *err)
{
	cleanup_free char *path =
	    socket_path(&process->spec->linux_.seccomp, process->state->bundle, err);
	cleanup_close int agent = -1;
	struct json_object *state;
	const char *text;
	int result = 0;

	if (!path)
		return -1;
	state = process_state(process, err);
	if (!state)
		return -1;
	text = json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
	agent = local_socket_connect(path);
	if (agent < 0)
		result = error_errno(err, errno, NOT_REACHED, path);
	else if (local_socket_send(agent, listener, text, strlen(text)) < 0)
		result = error_errno(err, errno,
				     "linux.seccomp.listenerPath: cannot send seccomp fd to \"%s\"",
				     path);
	json_object_put(state);
	return result;
}

int seccomp_agent_tell(const struct seccomp_process *process, int listener, struct error *err)
{
	struct pollfd end = {.fd = process->pidfd, .events = POLLIN};

	if (!process->spec->linux_.seccomp.listener_path)
		error_set(err, "linux.seccomp.listenerPath: is not set");
	else if (tell(process, listener, err) == 0)
		return 0;
	/* It may be in a call that nobody will ever answer, since it has the listener itself. */
	kernel_pidfd_send_signal(process->pidfd, SIGKILL);
	poll(&end, 1, 2000);
	return -1;
}
