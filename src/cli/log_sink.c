/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

static char *format_json(enum log_level level, const char *message, const char *time)
{
	cleanup_with(cleanup_json) struct json_object *line = json_object_new_object();
	cleanup_free char *clean = utf8_clean(message);
	const char *text;
	char *result = NULL;

	if (!line || !clean ||
	    json_object_object_add(line, "level", json_object_new_string(level_names[level])) ||
	    json_object_object_add(line, "msg", json_object_new_string(clean)) ||
	    json_object_object_add(line, "time", json_object_new_string(time)))
		return NULL;
	text = json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN |
							JSON_C_TO_STRING_NOSLASHESCAPE);
	return text && asprintf(&result, "%s\n", text) >= 0 ? result : NULL;
}

/* logrus leaves a value bare when it is made of these alone, and quotes it in Go's way otherwise.
 */
static bool needs_quotes(const char *text)
{
	return !*text || text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._/@^+")];
}

static char *quote(const char *text)
{
	char *result = malloc(strlen(text) * 4 + 3), *out = result;

	if (!result)
		return NULL;
	*out++ = '"';
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			out += sprintf(out, "\\%c", byte);
		else if (byte == '\n')
			out += sprintf(out, "\\n");
		else if (byte == '\r')
			out += sprintf(out, "\\r");
		else if (byte == '\t')
			out += sprintf(out, "\\t");
		else if (byte < ' ' || byte == 0x7f)
			out += sprintf(out, "\\x%02x", byte);
		else
			*out++ = (char)byte;
	}
	*out++ = '"';
	*out = '\0';
	return result;
}

static char *format_text(enum log_level level, const char *message, const char *time)
{
	cleanup_free char *quoted = needs_quotes(message) ? quote(message) : strdup(message);
	char *result = NULL;

	if (!quoted || asprintf(&result, "time=\"%s\" level=%s msg=%s\n", time, level_names[level],
				quoted) < 0)
		return NULL;
	return result;
}

char *log_sink_format(bool json, enum log_level level, const char *message, const char *time)
{
	return json ? format_json(level, message, time) : format_text(level, message, time);
}

/* One write for one line: O_APPEND keeps the lines of several commands on one log apart. */
static void write_line(int fd, const char *line)
{
	size_t length = strlen(line);

	while (length > 0) {
		ssize_t written = write(fd, line, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* there is nowhere left to say so */
		line += written;
		length -= (size_t)written;
	}
}

static void write_message(int fd, bool json, enum log_level level, const char *message)
{
	cleanup_free char *line = NULL;
	struct timespec now;
	struct tm utc;
	char time[sizeof("9999-12-31T23:59:59Z") + 8] = "";

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &utc))
		strftime(time, sizeof(time), "%FT%TZ", &utc);
	line = log_sink_format(json, level, message, time);
	if (line)
		write_line(fd, line);
}

static void sink_write(void *data, enum log_level level, const char *message)
{
	const struct log_sink *sink = data;

	write_message(sink->fd >= 0 ? sink->fd : STDERR_FILENO, sink->json, level, message);
}

int log_sink_open(struct log_sink *sink, const char *path, bool json, bool debug, struct error *err)
{
	sink->log.write = sink_write;
	sink->log.data = sink;
	sink->log.level = debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
	sink->json = json;
	sink->fd = -1;
	if (!path)
		return 0;
	/* Mode and flags are runc's. */
	sink->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (sink->fd < 0)
		return error_errno(err, errno, "open log \"%s\"", path);
	return 0;
}

void log_sink_close(struct log_sink *sink)
{
	fd_close(fd_take(&sink->fd));
}

void log_sink_failure(struct log_sink *sink, const char *message)
{
	cleanup_free char *line = NULL;

	if (sink->fd >= 0)
		write_message(sink->fd, sink->json, LOG_LEVEL_ERROR, message);

	if (asprintf(&line, "runlxc: %s\n", message) < 0) {
		line = NULL;
		return;
	}
	/* One line, and nothing in it that a terminal would act on. */
	for (char *byte = line; byte[1]; byte++) {
		if ((unsigned char)*byte < ' ' || *byte == 0x7f)
			*byte = ' ';
	}
	write_line(STDERR_FILENO, line);
}
