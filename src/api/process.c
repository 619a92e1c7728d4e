/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: include/runlxc/process.h. */
#include "api/internal.h"

#include <errno.h>
#include <poll.h>

#include "driver/handle.h"

_Static_assert((int)RUNLXC_STREAM_NULL == (int)DRIVER_STREAM_NULL &&
		   (int)RUNLXC_STREAM_PIPE == (int)DRIVER_STREAM_PIPE,
	       "streams have the same names inside");

/* A public process is a handle; nobody looks into it. */
static struct handle *inside(const struct runlxc_process *process)
{
	return (struct handle *)process;
}

struct handle_io api_io(const struct runlxc_io *io)
{
	static const struct runlxc_io none = RUNLXC_IO_NULL;

	if (!io)
		io = &none;
	return (struct handle_io){.streams = {io->input, io->output, io->error},
				  .started = io->started,
				  .data = io->data};
}

PUBLIC struct runlxc_process *runlxc_run(struct runlxc *driver, const char *id,
					 const struct runlxc_create_options *options,
					 const struct runlxc_io *io, struct runlxc_error *err)
{
	const struct driver_create_options create = api_create_options(options);
	const struct handle_io streams = api_io(io);

	return (struct runlxc_process *)CALL(handle_run(&driver->driver, id, &create, &streams, e));
}

PUBLIC pid_t runlxc_process_pid(const struct runlxc_process *process)
{
	return handle_pid(inside(process));
}

PUBLIC int runlxc_process_fd(const struct runlxc_process *process)
{
	return handle_fd(inside(process));
}

PUBLIC int runlxc_process_dispatch(struct runlxc_process *process, struct runlxc_exit *how,
				   struct runlxc_error *err)
{
	struct driver_exit ended;
	int result = CALL(handle_dispatch(inside(process), &ended, e));

	if (result == 1 && how)
		*how = (struct runlxc_exit){ended.status, ended.signal, ended.oom_killed};
	return result;
}

PUBLIC int runlxc_process_wait(struct runlxc_process *process, struct runlxc_exit *how,
			       struct runlxc_error *err)
{
	struct pollfd event = {.fd = runlxc_process_fd(process), .events = POLLIN};
	int result;

	while ((result = runlxc_process_dispatch(process, how, err)) == 0)
		if (poll(&event, 1, -1) < 0 && errno != EINTR)
			return CALL(error_errno(e, errno, "Failed to wait for the process"));
	return result == 1 ? 0 : -1;
}

PUBLIC int runlxc_process_take_stream(struct runlxc_process *process, int stream)
{
	return handle_take_stream(inside(process), stream);
}

PUBLIC int runlxc_process_resize(struct runlxc_process *process, unsigned int height,
				 unsigned int width, struct runlxc_error *err)
{
	return CALL(handle_resize(inside(process), height, width, e));
}

PUBLIC int runlxc_process_signal(struct runlxc_process *process, int sig, struct runlxc_error *err)
{
	return CALL(handle_signal(inside(process), sig, e));
}

PUBLIC void runlxc_process_free(struct runlxc_process *process)
{
	handle_free(inside(process));
}
