/* SPDX-License-Identifier: Apache-2.0 */
/* Units: the manager's methods, and the jobs that they begin. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "systemd/internal.h"

#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

/* ---- calls ---- */

/* What a call came to: its answer, or systemd's words. */
struct answer {
	const struct systemd_library *library;
	sd_bus_message *message;
	sd_bus_error failure;
	int result;
};

static void answer_free(struct answer *answer)
{
	if (!answer->library)
		return;
	answer->library->sd_bus_message_unref(answer->message);
	answer->library->sd_bus_error_free(&answer->failure);
}
#define cleanup_answer __attribute__((cleanup(answer_free)))

static void cleanup_message_(sd_bus_message **message)
{
	struct error ignored = ERROR_INIT;
	const struct systemd_library *library = *message ? systemd_library_load(&ignored) : NULL;

	if (library)
		library->sd_bus_message_unref(*message);
}
#define cleanup_message __attribute__((cleanup(cleanup_message_)))

static void call(const struct systemd *systemd, sd_bus_message *message, struct answer *answer)
{
	*answer = (struct answer){.library = systemd->library};
	answer->result = systemd->library->sd_bus_call(systemd->bus, message, SYSTEMD_TIMEOUT_USEC,
						       &answer->failure, &answer->message);
}

static bool is_failure(const struct answer *answer, const char *name)
{
	return answer->result < 0 && answer->library->sd_bus_error_has_name(&answer->failure, name);
}

static const char *words(const struct answer *answer)
{
	return answer->failure.message ? answer->failure.message : strerror(-answer->result);
}

/* ---- jobs ---- */

struct job {
	const struct systemd *systemd;
	const char *path;
	bool done;
	char result[32];
};

static int job_removed(sd_bus_message *message, void *data, sd_bus_error *failure)
{
	const char *path = NULL, *unit = NULL, *result = NULL;
	struct job *job = data;
	uint32_t number = 0;

	(void)failure;
	if (job->systemd->library->sd_bus_message_read(message, "uoss", &number, &path, &unit,
						       &result) >= 0 &&
	    job->path && strcmp(path, job->path) == 0) {
		job->done = true;
		snprintf(job->result, sizeof(job->result), "%s", result);
	}
	return 0;
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A manager sends signals over a bus only while somebody has asked for them. */
static int subscribe(struct systemd *systemd, struct error *err)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_answer struct answer answer = {0};
	int result = systemd->subscribed ? 0 : systemd_message(systemd, "Subscribe", &message);

	if (systemd->subscribed)
		return 0;
	if (result < 0)
		return error_errno(err, -result, "--systemd-cgroup: Failed to call systemd");
	call(systemd, message, &answer);
	if (answer.result < 0 && !is_failure(&answer, "org.freedesktop.systemd1.AlreadySubscribed"))
		return error_set(err, "--systemd-cgroup: systemd refuses to send signals: %s",
				 words(&answer));
	systemd->subscribed = true;
	return 0;
}

static int wait_for_job(const struct systemd *systemd, struct job *job)
{
	uint64_t deadline = now_usec() + SYSTEMD_TIMEOUT_USEC;

	while (!job->done) {
		int result = systemd->library->sd_bus_process(systemd->bus, NULL);
		uint64_t now = now_usec();

		if (result < 0)
			return result;
		if (result > 0)
			continue;
		if (now >= deadline)
			return -ETIMEDOUT;
		result = systemd->library->sd_bus_wait(systemd->bus, deadline - now);
		if (result < 0 && result != -EINTR)
			return result;
	}
	return 0;
}

/* A call that begins a job: to its end. answer->result is below 0 where systemd refused. */
static int call_for_job(struct systemd *systemd, sd_bus_message *message, struct answer *answer,
			char result[32], struct error *err)
{
	struct job job = {.systemd = systemd};
	sd_bus_slot *slot = NULL;
	int failed;

	if (subscribe(systemd, err) < 0)
		return -1;
	failed = systemd->library->sd_bus_match_signal(systemd->bus, &slot, SYSTEMD_DESTINATION,
						       SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
						       job_removed, &job);
	if (failed < 0)
		return error_errno(err, -failed, "--systemd-cgroup: Failed to listen to systemd");
	/* Signals that come before the answer wait in a queue until they are processed. */
	call(systemd, message, answer);
	failed = answer->result < 0
		     ? 0
		     : systemd->library->sd_bus_message_read(answer->message, "o", &job.path);
	if (answer->result >= 0 && failed >= 0)
		failed = wait_for_job(systemd, &job);
	systemd->library->sd_bus_slot_unref(slot);
	memcpy(result, job.result, sizeof(job.result));
	return failed < 0
		   ? error_errno(err, -failed, "--systemd-cgroup: Failed to wait for systemd's job")
		   : 0;
}

/* ---- a scope ---- */

static int add_own(struct properties *all, const struct systemd_place *place,
		   const char *description, pid_t pid, bool unified, struct error *err)
{
	struct variant *item = arena_alloc(&all->arena, 1, sizeof(*item));
	struct variant pids = {.type = 'a', .element = "u", .items = item, .count = 1};

	if (!item)
		return error_errno(err, ENOMEM, "--systemd-cgroup");
	*item = (struct variant){.type = 'u', .number = (uint64_t)pid};
	return properties_add(all, "Description", variant_text(description), err) < 0 ||
		       properties_add(all, "Slice", variant_text(place->slice), err) < 0 ||
		       properties_add(all, "PIDs", pids, err) < 0 ||
		       properties_add(all, "Delegate", variant_flag(true), err) < 0 ||
		       properties_add(all, "MemoryAccounting", variant_flag(true), err) < 0 ||
		       properties_add(all, "CPUAccounting", variant_flag(true), err) < 0 ||
		       properties_add(all, unified ? "IOAccounting" : "BlockIOAccounting",
				      variant_flag(true), err) < 0 ||
		       properties_add(all, "TasksAccounting", variant_flag(true), err) < 0 ||
		       properties_add(all, "DefaultDependencies", variant_flag(false), err) < 0 ||
		       /* A container that nobody deletes, and one whose create was killed, leaves
			* no failed unit. */
		       properties_add(all, "CollectMode", variant_text("inactive-or-failed"), err) <
			   0
		   ? -1
		   : 0;
}

static int start(struct systemd *systemd, const char *unit, const struct properties *all,
		 struct answer *answer, char result[32], struct error *err)
{
	cleanup_message sd_bus_message *message = NULL;
	int failed = systemd_message(systemd, "StartTransientUnit", &message);

	/* "fail": a job that is under way for that unit is somebody else's. */
	if (failed >= 0)
		failed = systemd->library->sd_bus_message_append(message, "ss", unit, "fail");
	if (failed >= 0)
		failed = systemd_append_properties(systemd, message, all);
	if (failed >= 0)
		failed = systemd->library->sd_bus_message_append(message, "a(sa(sv))", 0);
	if (failed < 0)
		return error_errno(err, -failed, "--systemd-cgroup: Failed to ask for \"%s\"",
				   unit);
	return call_for_job(systemd, message, answer, result, err);
}

static void reset_failed(const struct systemd *systemd, const char *unit)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_answer struct answer answer = {0};

	if (systemd_message(systemd, "ResetFailedUnit", &message) >= 0 &&
	    systemd->library->sd_bus_message_append(message, "s", unit) >= 0)
		call(systemd, message, &answer);
}

int systemd_start_scope(struct systemd *systemd, const struct systemd_place *place,
			const char *description, pid_t pid, bool unified,
			const struct properties *more, struct error *err)
{
	cleanup_properties struct properties all = PROPERTIES_INIT;
	cleanup_answer struct answer answer = {0};
	char result[32] = "";

	if (add_own(&all, place, description, pid, unified, err) < 0)
		return -1;
	for (size_t i = 0; i < more->count; i++)
		if (properties_add(&all, more->items[i].name, more->items[i].value, err) < 0)
			return -1;
	if (start(systemd, place->scope, &all, &answer, result, err) < 0)
		return -1;
	if (is_failure(&answer, UNIT_EXISTS)) {
		/* Perhaps it is one that has failed, and is only remembered. */
		reset_failed(systemd, place->scope);
		answer_free(&answer);
		answer = (struct answer){0};
		if (start(systemd, place->scope, &all, &answer, result, err) < 0)
			return -1;
	}
	if (answer.result < 0)
		return error_set(err, "linux.cgroupsPath: systemd refuses to start \"%s\": %s",
				 place->scope, words(&answer));
	if (strcmp(result, "done") == 0)
		return 0;
	reset_failed(systemd, place->scope);
	return error_set(err, "linux.cgroupsPath: systemd did not start \"%s\": its job is %s",
			 place->scope, result);
}

/* ---- a unit that is there ---- */

int systemd_set_properties(struct systemd *systemd, const char *unit,
			   const struct properties *properties, struct error *err)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_answer struct answer answer = {0};
	int failed;

	if (!properties->count)
		return 0;
	failed = systemd_message(systemd, "SetUnitProperties", &message);
	if (failed >= 0)
		failed = systemd->library->sd_bus_message_append(message, "sb", unit, 1);
	if (failed >= 0)
		failed = systemd_append_properties(systemd, message, properties);
	if (failed < 0)
		return error_errno(err, -failed, "--systemd-cgroup: Failed to ask for \"%s\"",
				   unit);
	call(systemd, message, &answer);
	return answer.result < 0
		   ? error_set(err, "systemd refuses to set the properties of \"%s\": %s", unit,
			       words(&answer))
		   : 0;
}

int systemd_attach(struct systemd *systemd, const char *unit, pid_t pid, struct error *err)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_answer struct answer answer = {0};
	int failed = systemd_message(systemd, "AttachProcessesToUnit", &message);

	if (failed >= 0)
		failed = systemd->library->sd_bus_message_append(message, "ssau", unit, "/", 1,
								 (uint32_t)pid);
	if (failed < 0)
		return error_errno(err, -failed, "--systemd-cgroup: Failed to ask for \"%s\"",
				   unit);
	call(systemd, message, &answer);
	return answer.result < 0
		   ? error_set(err, "systemd refuses to move a process into \"%s\": %s", unit,
			       words(&answer))
		   : 0;
}

int systemd_stop(struct systemd *systemd, const char *unit, struct error *err)
{
	cleanup_message sd_bus_message *message = NULL;
	cleanup_answer struct answer answer = {0};
	int failed = systemd_message(systemd, "StopUnit", &message);
	char result[32] = "";

	if (failed >= 0)
		failed = systemd->library->sd_bus_message_append(message, "ss", unit, "replace");
	if (failed < 0)
		return error_errno(err, -failed, "--systemd-cgroup: Failed to ask for \"%s\"",
				   unit);
	if (call_for_job(systemd, message, &answer, result, err) < 0)
		return -1;
	if (answer.result < 0)
		return is_failure(&answer, NO_SUCH_UNIT)
			   ? 0
			   : error_set(err, "systemd refuses to stop \"%s\": %s", unit,
				       words(&answer));
	reset_failed(systemd, unit);
	return strcmp(result, "done") == 0
		   ? 0
		   : error_set(err, "systemd did not stop \"%s\": its job is %s", unit, result);
}
