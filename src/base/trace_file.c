/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace events, as chrome://tracing and Perfetto read them ("Trace Event Format", JSON object
 * format): for each process its name, one event for all that it does, and in that its steps and
 * their parts, all of them complete events ("X"). Times are CLOCK_MONOTONIC's, in microseconds, so
 * that the files of several commands can be laid side by side.
 */
#include "base/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/trace.h"
#include "base/utf8.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int file_fd = -1, page_fd = -1;

static const char *const titles[TRACE_PROCESSES] = {
    [TRACE_COMMAND] = "runlxc",
    [TRACE_MONITOR] = "LXC's monitor",
    [TRACE_ENTERING] = "exec, on its way in",
    [TRACE_INIT] = "init",
};

/* ---- the page ---- */

static int make_page(void)
{
	int fd =
	    kernel_memfd_create("runlxc-trace", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = kernel_memfd_create("runlxc-trace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Nobody can make it smaller under the others' feet. */
	if (fd >= 0 && (ftruncate(fd, sizeof(struct trace_page)) < 0 ||
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)) {
		fd_close(fd);
		return -1;
	}
	return fd;
}

/*
 * What is emptied and written again some file systems (ext4) put on the disk as it is closed, in
 * case of a crash, and so the command would wait for the disk. A new file they don't.
 */
static void remove_old(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		unlink(path);
}

int trace_open(const char *path, struct error *err)
{
	remove_old(path);
	file_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (file_fd < 0)
		return error_errno(err, errno, "--trace: Failed to open \"%s\"", path);
	page_fd = make_page();
	trace_attach(trace_descriptor(0), TRACE_COMMAND);
	if (!trace_page)
		return error_errno(err, errno, "--trace: Failed to make memory to share");
	trace_pid(TRACE_COMMAND, getpid());
	return 0;
}

int trace_descriptor(int lowest)
{
	return page_fd < 0 ? -1 : fcntl(page_fd, F_DUPFD_CLOEXEC, lowest);
}

/* ---- events ---- */

struct writer {
	struct json_object *events;
	/* What every event has, and so one object serves for all: a fifth of a trace's cost. */
	struct json_object *complete, *pids[TRACE_PROCESSES];
	const char *verb;
	int status;
	uint64_t end; /* the last mark of all */
};

/* An event that has begun. */
struct event {
	struct json_object *object; /* it is in writer.events */
	uint64_t start;
};

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	/* Out of memory: an event without it. */
	if (object &&
	    json_object_object_add_ex(object, key, value,
				      JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT))
		json_object_put(value);
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

static struct json_object *text_value(const char *text)
{
	cleanup_free char *clean = NULL;

	if (is_ascii(text))
		return json_object_new_string(text);
	clean = utf8_clean(text);
	return json_object_new_string(clean ? clean : "");
}

static struct json_object *microseconds(uint64_t nanoseconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", nanoseconds / 1000,
		 (unsigned int)(nanoseconds % 1000));
	return json_object_new_double_s((double)nanoseconds / 1000, text);
}

/* Takes `phase` over. */
static struct json_object *new_event(struct writer *writer, enum trace_process process,
				     struct json_object *phase, const char *name)
{
	struct json_object *object = json_object_new_object();

	add(object, "name", text_value(name));
	add(object, "ph", phase);
	add(object, "pid", json_object_get(writer->pids[process]));
	add(object, "tid", json_object_get(writer->pids[process]));
	if (object && json_object_array_add(writer->events, object)) {
		json_object_put(object);
		object = NULL;
	}
	return object;
}

static void add_argument(struct json_object *object, const char *key, struct json_object *value)
{
	struct json_object *arguments = json_object_new_object();

	add(arguments, key, value);
	add(object, "args", arguments);
}

static struct event begin(struct writer *writer, enum trace_process process, const char *name,
			  uint64_t start)
{
	struct json_object *phase = json_object_get(writer->complete);
	struct event event = {new_event(writer, process, phase, name), start};

	add(event.object, "ts", microseconds(start));
	return event;
}

static void finish(struct event *event, uint64_t end)
{
	if (event->object)
		add(event->object, "dur",
		    microseconds(end > event->start ? end - event->start : 0));
	event->object = NULL;
}

/* The process's name, and the event for all of it. */
static struct event begin_process(struct writer *writer, enum trace_process process, uint64_t start)
{
	bool is_command = process == TRACE_COMMAND;
	struct event event;
	char title[64];

	snprintf(title, sizeof(title), "%s%s%s", titles[process], is_command ? " " : "",
		 is_command ? writer->verb : "");
	/* An exec that joins no pid namespace has one process all along. */
	if (process != TRACE_INIT ||
	    trace_page->pids[TRACE_INIT] != trace_page->pids[TRACE_ENTERING])
		add_argument(
		    new_event(writer, process, json_object_new_string("M"), "process_name"), "name",
		    json_object_new_string(title));
	event = begin(writer, process, is_command ? writer->verb : title, start);
	if (is_command)
		add_argument(event.object, "status", json_object_new_int(writer->status));
	return event;
}

static void write_process(struct writer *writer, enum trace_process process)
{
	uint32_t count = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED), i;
	/* By level: the process, its step, a part of that. */
	struct event open[TRACE_PART + 1] = {0};
	uint64_t time, last = 0;
	int level;

	for (i = 0; i < count && i < TRACE_MARKS; i++) {
		const struct trace_mark *mark = &trace_page->marks[i];
		const char *detail = mark->text + strnlen(mark->text, TRACE_TEXT - 2) + 1;

		time = __atomic_load_n(&mark->time, __ATOMIC_ACQUIRE);
		/* One that nobody came to finish. */
		if (!time || mark->process != process || mark->level > TRACE_PART)
			continue;
		last = time > last ? time : last;
		for (level = TRACE_PART; level >= (int)mark->level; level--)
			finish(&open[level], last);
		if (mark->level == TRACE_END)
			continue;
		if (!open[TRACE_END].object)
			open[TRACE_END] = begin_process(writer, process, last);
		open[mark->level] = begin(writer, process, mark->text, last);
		if (*detail)
			add_argument(open[mark->level].object, "detail", text_value(detail));
	}
	for (level = TRACE_PART; level >= TRACE_END; level--)
		finish(&open[level], writer->end);
}

static int write_file(struct writer *writer)
{
	struct json_object *root = json_object_new_object();
	struct json_object *other = json_object_new_object();
	uint32_t used = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED), i;
	size_t length = 0;
	const char *text;
	int process, result = -1;

	for (i = 0; i < used && i < TRACE_MARKS; i++)
		if (trace_page->marks[i].time > writer->end)
			writer->end = trace_page->marks[i].time;
	writer->events = json_object_new_array();
	writer->complete = json_object_new_string("X");
	for (process = 0; writer->events && process < TRACE_PROCESSES; process++) {
		writer->pids[process] = json_object_new_int(trace_page->pids[process]);
		write_process(writer, process);
		json_object_put(writer->pids[process]);
	}
	json_object_put(writer->complete);
	add(root, "traceEvents", writer->events);
	add(root, "displayTimeUnit", json_object_new_string("ns"));
	add(other, "dropped", json_object_new_int64(used > TRACE_MARKS ? used - TRACE_MARKS : 0));
	add(root, "otherData", other);
	text = root ? json_object_to_json_string_length(
			  root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length)
		    : NULL;
	errno = ENOMEM;
	if (text)
		result = path_write_all(file_fd, text, length);
	json_object_put(root);
	return result;
}

int trace_close(const char *verb, int status, struct error *err)
{
	struct writer writer = {.verb = verb, .status = status};
	int result;

	if (!trace_page)
		return 0;
	trace_end(TRACE_COMMAND);
	result = write_file(&writer);
	if (close(fd_take(&file_fd)) < 0)
		result = -1;
	if (result < 0)
		error_errno(err, errno, "--trace: Failed to write the trace");
	fd_close(fd_take(&page_fd));
	trace_detach();
	return result;
}
