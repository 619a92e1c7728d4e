/* SPDX-License-Identifier: Apache-2.0 */
/* What tells one process from another that got the same pid, and one moment from another. */
#include "state/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

/* The next word of a line; NULL: there is none. sscanf(3) would take a tenth of the time that
 * looking at a container takes. */
static const char *skip_words(const char *at, int count)
{
	while (at && count-- > 0) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	return at;
}

uint64_t state_process_start(pid_t pid, bool *zombie)
{
	const char *run_state, *threads, *start;
	char path[32], text[1024];
	cleanup_close int fd = -1;
	ssize_t length;

	if (zombie)
		*zombie = false;
	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	/* The name, in parentheses, may hold anything, parentheses too. proc_pid_stat(5): the state
	 * is field 3, the number of threads 20, the start time 22. */
	run_state = skip_words(strrchr(text, ')'), 1);
	threads = skip_words(run_state, 17);
	start = skip_words(threads, 2);
	if (!start)
		return 0;
	/* A first thread that ended before the others is in state Z as well; the process lives on.
	 */
	if (zombie)
		*zombie =
		    (*run_state == 'Z' && strtol(threads, NULL, 10) <= 1) || *run_state == 'X';
	return strtoull(start, NULL, 10);
}

char *state_timestamp(void)
{
	struct timespec now;
	struct tm parts;
	char seconds[32], *text = NULL;

	if (clock_gettime(CLOCK_REALTIME, &now) || !gmtime_r(&now.tv_sec, &parts) ||
	    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		return NULL;
	return asprintf(&text, "%s.%09ldZ", seconds, now.tv_nsec) < 0 ? NULL : text;
}
