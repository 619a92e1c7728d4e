/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a container, as it happens. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>

#include "base/cleanup.h"
#include "cgroup/stats.h"
#include "driver/internal.h"
#include "driver/stats.h"

#define NANOSECONDS 1000000000

struct events {
	const struct driver_events_options *options;
	const char *id;
	struct driver_stats_reader *reader;
	struct cgroup_oom *oom; /* NULL: no memory controller, or the cgroup is gone */
	struct cgroup_oom_state seen;
	int timer;
};

static void events_close(struct events *events)
{
	fd_close(events->timer);
	cgroup_oom_close(events->oom);
	driver_stats_close(events->reader);
}

/* ---- opening ---- */

static int open_oom(const struct driver *driver, struct events *events, struct error *err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct cgroup_layout *layout;

	if (container_open(driver, events->id, false, &container, err) < 0)
		return -1;
	if (!container_cgroup(&container, err))
		return -1;
	layout = cgroup_detect(err);
	if (!layout)
		return -1;
	events->oom = cgroup_oom_open(layout, container.state->cgroup_path, err);
	cgroup_layout_free(layout);
	/* A controller that is missing is left out here as it is from the statistics. */
	if (!events->oom && err->errnum == ENOENT) {
		error_clear(err);
		return 0;
	}
	if (!events->oom)
		return -1;
	cgroup_oom_hurry(events->oom);
	return cgroup_oom_read(events->oom, &events->seen, err);
}

static int open_timer(struct events *events, struct error *err)
{
	uint64_t interval = events->options->interval;
	const struct timespec period = {(time_t)(interval / NANOSECONDS),
					(long)(interval % NANOSECONDS)};
	const struct itimerspec times = {period, period};

	events->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (events->timer < 0 || timerfd_settime(events->timer, 0, &times, NULL) < 0)
		return error_errno(err, errno, "can't start a timer");
	return 0;
}

/* ---- reporting ---- */

static int report_oom(const struct events *events, struct error *err)
{
	struct json_object *event = json_object_new_object();
	const char *text = NULL;
	int result;

	if (event && json_object_object_add(event, "type", json_object_new_string("oom")) == 0 &&
	    json_object_object_add(event, "id", json_object_new_string(events->id)) == 0)
		text = json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE);
	result = text ? events->options->report(events->options->data, text, err)
		      : error_set(err, "out of memory");
	json_object_put(event);
	return result;
}

/* One event for each process that was killed, and one when processes begin to wait for memory where
 * the killer is switched off. */
static int check_oom(struct events *events, struct error *err)
{
	struct cgroup_oom_state now, before = events->seen;

	if (!events->oom)
		return 0;
	if (cgroup_oom_read(events->oom, &now, err) < 0) {
		if (err->errnum != ENODEV)
			return -1;
		error_clear(err);
		cgroup_oom_close(events->oom);
		events->oom = NULL;
		return 0;
	}
	events->seen = now;
	if (now.waiting && !before.waiting && report_oom(events, err))
		return -1;
	/* v1's sum falls when a cgroup below the container's is removed. */
	for (uint64_t kill = before.kills; kill < now.kills; kill++) {
		if (report_oom(events, err))
			return -1;
	}
	return 0;
}

static int report_stats(struct events *events, struct error *err)
{
	cleanup_free char *json = NULL;

	if (driver_stats_read(events->reader, &json, NULL, err) < 0) {
		if (err->errnum != ENODEV)
			return -1;
		error_clear(err); /* it has ended this very moment */
		return 0;
	}
	return events->options->report(events->options->data, json, err);
}

static int follow(struct events *events, struct error *err)
{
	enum { ENDED, TIMER, OUTPUT, OOM };
	struct pollfd polled[] = {
	    [ENDED] = {driver_stats_fd(events->reader), POLLIN, 0},
	    [TIMER] = {events->timer, POLLIN, 0},
	    [OUTPUT] = {events->options->output, 0, 0},
	    [OOM] = {events->oom ? cgroup_oom_fd(events->oom) : -1, POLLIN, 0},
	};
	uint64_t expirations;

	for (;;) {
		if (poll(polled, ARRAY_SIZE(polled), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "can't wait for events of \"%s\"",
					   events->id);
		}
		/* First: a container that was killed for memory has ended as well. */
		if (polled[OOM].revents || polled[ENDED].revents || polled[TIMER].revents) {
			if (check_oom(events, err))
				return -1;
			if (!events->oom)
				polled[OOM].fd = -1;
		}
		if (polled[ENDED].revents || polled[OUTPUT].revents)
			return 0;
		if (polled[TIMER].revents &&
		    read(events->timer, &expirations, sizeof(expirations)) > 0 &&
		    report_stats(events, err))
			return -1;
	}
}

int driver_events(const struct driver *driver, const char *id,
		  const struct driver_events_options *options, struct error *err)
{
	cleanup_with(events_close) struct events events = {
	    .options = options, .id = id, .timer = -1};

	events.reader = driver_stats_open(driver, id, err);
	if (!events.reader || open_oom(driver, &events, err) < 0 || open_timer(&events, err) < 0)
		return -1;
	return follow(&events, err);
}
