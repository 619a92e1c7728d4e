/* SPDX-License-Identifier: Apache-2.0 */
/* The page that all write to, and the file that is made of it. */
#include "base/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/trace_events.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int file_fd = -1, page_fd = -1;
static struct trace_writer writer;
static bool written[TRACE_PROCESSES];

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
	return page_fd < 0 ? -1 : fd_duplicate(page_fd, lowest);
}

/* ---- the file ---- */

static int begin_file(void)
{
	static char buffer[64 << 10];
	FILE *out;

	if (writer.out)
		return 0;
	out = fdopen(file_fd, "we");
	if (!out)
		return -1;
	file_fd = -1;
	/* Nothing of it is in the file until all of it is. */
	setvbuf(out, buffer, _IOFBF, sizeof(buffer));
	trace_events_begin(&writer, out);
	return 0;
}

static bool has_ended(enum trace_process process)
{
	uint32_t used = __atomic_load_n(&trace_page->used, __ATOMIC_RELAXED), i;
	bool ended = false;

	for (i = 0; i < used && i < TRACE_MARKS; i++) {
		const struct trace_mark *mark = &trace_page->marks[i];

		if (__atomic_load_n(&mark->time, __ATOMIC_ACQUIRE) && mark->process == process)
			ended = mark->level == TRACE_END;
	}
	return ended;
}

void trace_write_others(void)
{
	int process;

	if (!trace_page || begin_file() < 0)
		return;
	for (process = TRACE_COMMAND + 1; process < TRACE_PROCESSES; process++) {
		if (written[process] || !has_ended(process))
			continue;
		trace_events_add(&writer, process);
		written[process] = true;
	}
}

static int end_file(void)
{
	int process;

	if (begin_file() < 0)
		return -1;
	for (process = 0; process < TRACE_PROCESSES; process++)
		if (!written[process])
			trace_events_add(&writer, process);
	return trace_events_end(&writer);
}

int trace_close(const char *verb, int status, struct error *err)
{
	int result;

	if (!trace_page)
		return 0;
	trace_end(TRACE_COMMAND);
	writer.verb = verb;
	writer.status = status;
	result = end_file();
	if (result < 0)
		error_errno(err, errno, "--trace: Failed to write the trace");
	fd_close(fd_take(&file_fd));
	fd_close(fd_take(&page_fd));
	writer = (struct trace_writer){0};
	memset(written, 0, sizeof(written));
	trace_detach();
	return result;
}
