/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace_events.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static const char *const titles[TRACE_PROCESSES] = {
    [TRACE_COMMAND] = "runlxc",
    [TRACE_MONITOR] = "LXC's monitor",
    [TRACE_ENTERING] = "exec, on its way in",
    [TRACE_INIT] = "init",
};

static void add(struct trace_writer *writer, struct json_object *object, const char *key,
		struct json_object *value)
{
	if (!object || !value ||
	    json_object_object_add_ex(
		object, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT)) {
		json_object_put(value);
		writer->error = ENOMEM;
	}
}

/* What `object` has under `key`, and goes with it. */
static struct json_object *added(struct trace_writer *writer, struct json_object *object,
				 const char *key, struct json_object *value)
{
	add(writer, object, key, value);
	return writer->error ? NULL : value;
}

/* json-c would go through a floating-point number. */
static int print_microseconds(struct json_object *value, struct printbuf *out, int level, int flags)
{
	uint64_t nanoseconds = json_object_get_uint64(value);
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRIu64 ".%03u", nanoseconds / 1000,
			      (unsigned int)(nanoseconds % 1000));

	(void)level;
	(void)flags;
	return printbuf_memappend(out, text, length);
}

static struct json_object *microseconds(void)
{
	struct json_object *value = json_object_new_uint64(0);

	if (value)
		json_object_set_serializer(value, print_microseconds, NULL, NULL);
	return value;
}

static void make_event(struct trace_writer *writer)
{
	struct json_object *event = json_object_new_object();

	writer->event = event;
	writer->name = added(writer, event, "name", json_object_new_string(""));
	add(writer, event, "ph", json_object_new_string("X"));
	writer->pid = added(writer, event, "pid", json_object_new_int(0));
	add(writer, event, "tid", json_object_get(writer->pid));
	writer->start = added(writer, event, "ts", microseconds());
	writer->duration = added(writer, event, "dur", microseconds());
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

static void set_text(struct json_object *value, const char *text)
{
	cleanup_free char *clean = NULL;

	if (!is_ascii(text)) {
		clean = utf8_clean(text);
		text = clean ? clean : "";
	}
	json_object_set_string(value, text);
}

static struct json_object *text_value(const char *text)
{
	struct json_object *value = json_object_new_string("");

	if (value)
		set_text(value, text);
	return value;
}

static void write_object(struct trace_writer *writer, struct json_object *object)
{
	size_t length = 0;
	const char *text = json_object_to_json_string_length(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	if (writer->has_events)
		fputc(',', writer->out);
	writer->has_events = true;
	if (!writer->error && (!text || fwrite(text, 1, length, writer->out) != length))
		writer->error = text ? errno : ENOMEM;
}

/* `argument`, if there is a key for it, is the writer's. */
static void write_event(struct trace_writer *writer, enum trace_process process, const char *name,
			uint64_t start, uint64_t end, const char *key, struct json_object *argument)
{
	struct json_object *arguments = key ? json_object_new_object() : NULL;

	if (key) {
		add(writer, arguments, key, argument);
		add(writer, writer->event, "args", arguments);
	}
	if (writer->error)
		return;
	set_text(writer->name, name);
	json_object_set_int(writer->pid, trace_page->pids[process]);
	json_object_set_uint64(writer->start, start);
	json_object_set_uint64(writer->duration, end > start ? end - start : 0);
	write_object(writer, writer->event);
	if (key)
		json_object_object_del(writer->event, "args");
}

static void write_name(struct trace_writer *writer, enum trace_process process, const char *title)
{
	struct json_object *event = json_object_new_object(), *arguments = json_object_new_object();

	add(writer, arguments, "name", json_object_new_string(title));
	add(writer, event, "name", json_object_new_string("process_name"));
	add(writer, event, "ph", json_object_new_string("M"));
	add(writer, event, "pid", json_object_new_int(trace_page->pids[process]));
	add(writer, event, "tid", json_object_new_int(trace_page->pids[process]));
	add(writer, event, "args", arguments);
	write_object(writer, event);
	json_object_put(event);
}

/* The process's name, and the event for all of it. */
static void write_whole(struct trace_writer *writer, enum trace_process process, uint64_t start,
			uint64_t end)
{
	bool is_command = process == TRACE_COMMAND;
	char title[64];

	snprintf(title, sizeof(title), "%s%s%s", titles[process], is_command ? " " : "",
		 is_command ? writer->verb : "");
	/* An exec that joins no pid namespace has one process all along. */
	if (process != TRACE_INIT ||
	    trace_page->pids[TRACE_INIT] != trace_page->pids[TRACE_ENTERING])
		write_name(writer, process, title);
	write_event(writer, process, is_command ? writer->verb : title, start, end,
		    is_command ? "status" : NULL,
		    is_command ? json_object_new_int(writer->status) : NULL);
}

/* A mark of one process; no later one is earlier. */
struct moment {
	const struct trace_mark *mark;
	uint64_t time;
};

static size_t find_moments(enum trace_process process, struct moment *moments)
{
	uint32_t used = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED), i;
	uint64_t last = 0;
	size_t count = 0;

	for (i = 0; i < used && i < TRACE_MARKS; i++) {
		const struct trace_mark *mark = &trace_page->marks[i];
		uint64_t time = __atomic_load_n(&mark->time, __ATOMIC_ACQUIRE);

		/* One that nobody came to finish. */
		if (!time || mark->process != process || mark->level > TRACE_PART)
			continue;
		last = time > last ? time : last;
		moments[count++] = (struct moment){mark, last};
	}
	return count;
}

/* The next mark of its own level or one above it; without one, the last mark of all. */
static uint64_t end_of(const struct moment *moments, size_t count, size_t at,
		       enum trace_level level, uint64_t last)
{
	while (++at < count)
		if (moments[at].mark->level <= level)
			return moments[at].time;
	return last;
}

static uint64_t last_mark(void)
{
	uint32_t used = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED), i;
	uint64_t last = 0;

	for (i = 0; i < used && i < TRACE_MARKS; i++) {
		uint64_t time = __atomic_load_n(&trace_page->marks[i].time, __ATOMIC_RELAXED);

		last = time > last ? time : last;
	}
	return last;
}

void trace_events_add(struct trace_writer *writer, enum trace_process process)
{
	static struct moment moments[TRACE_MARKS];
	size_t count = find_moments(process, moments), i;
	const uint64_t last = last_mark();
	bool is_begun = false;

	for (i = 0; i < count; i++) {
		const struct trace_mark *mark = moments[i].mark;
		const char *detail = mark->text + strnlen(mark->text, TRACE_TEXT - 2) + 1;
		uint64_t start = moments[i].time;

		if (mark->level == TRACE_END) {
			is_begun = false;
			continue;
		}
		if (!is_begun)
			write_whole(writer, process, start,
				    end_of(moments, count, i, TRACE_END, last));
		is_begun = true;
		write_event(writer, process, mark->text, start,
			    end_of(moments, count, i, mark->level, last), *detail ? "detail" : NULL,
			    *detail ? text_value(detail) : NULL);
	}
}

static void write_dropped(struct trace_writer *writer)
{
	uint32_t used = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED);
	struct json_object *other = json_object_new_object();

	add(writer, other, "dropped",
	    json_object_new_int64(used > TRACE_MARKS ? used - TRACE_MARKS : 0));
	writer->has_events = false;
	write_object(writer, other);
	json_object_put(other);
}

void trace_events_begin(struct trace_writer *writer, FILE *out)
{
	writer->out = out;
	make_event(writer);
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
}

int trace_events_end(struct trace_writer *writer)
{
	fputs("],\"otherData\":", writer->out);
	write_dropped(writer);
	fputc('}', writer->out);
	json_object_put(PTR_TAKE(writer->event));
	if (fclose(PTR_TAKE(writer->out)) < 0 && !writer->error)
		writer->error = errno;
	errno = writer->error;
	return writer->error ? -1 : 0;
}
