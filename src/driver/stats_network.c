/* SPDX-License-Identifier: Apache-2.0 */
/* The interfaces of another network namespace: /proc/PID/net/dev shows them without entering it. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "driver/stats_internal.h"

#define DEV_MAX ((size_t)64 * 1024 * 1024)

static uint64_t next_number(char **at)
{
	return strtoull(*at, at, 10);
}

static struct stats_traffic next_traffic(char **at)
{
	struct stats_traffic traffic;

	traffic.bytes = next_number(at);
	traffic.packets = next_number(at);
	traffic.errors = next_number(at);
	traffic.dropped = next_number(at);
	return traffic;
}

/*
 * "  eth0: bytes packets errs drop fifo frame compressed multicast", and the same eight for
 * sending. A name has no blanks and no colon, but may have any other byte, and who may name an
 * interface in the container is not to break our JSON.
 */
static bool parse_line(char *line, struct stats_interface *interface)
{
	char *name = line + strspn(line, " "), *colon = strchr(name, ':');

	if (!colon || colon - name >= IF_NAMESIZE)
		return false;
	*colon = '\0';
	if (strcmp(name, "lo") == 0)
		return false;
	for (char *out = interface->name; (*out = *name); out++, name++) {
		if ((unsigned char)*name >= 0x80)
			*out = '?';
	}
	line = colon + 1;
	interface->received = next_traffic(&line);
	for (int i = 0; i < 4; i++)
		next_number(&line);
	interface->sent = next_traffic(&line);
	return true;
}

int stats_network_read(int process, struct stats_network *network, struct error *err)
{
	struct error why = ERROR_INIT;
	cleanup_free char *text =
	    path_read_file(process, "net/dev", DEV_MAX, NULL, "/proc/PID/net/dev", &why);
	char *rest = text, *line;
	size_t lines = 0;

	*network = (struct stats_network){NULL, 0};
	if (!text) {
		bool ended = why.errnum == ENOENT || why.errnum == ESRCH || why.errnum == EINVAL;
		int result = ended ? 0 : error_set(err, "%s", error_text(&why));

		error_clear(&why);
		return result;
	}
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	network->interfaces = calloc(lines + 1, sizeof(*network->interfaces));
	if (!network->interfaces)
		return error_errno(err, ENOMEM, "can't read the network interfaces");
	/* The two lines of the heading have no colon. */
	while ((line = strsep(&rest, "\n"))) {
		if (parse_line(line, &network->interfaces[network->count]))
			network->count++;
	}
	return 0;
}
