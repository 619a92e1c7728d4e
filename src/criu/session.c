/* SPDX-License-Identifier: Apache-2.0 */
/* One `criu swrk` and the talk with it. */
#include "criu/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/message.h"

/* What CRIU's own clients take. */
#define MESSAGE_MAX 40960
/* The number under which it has its end of the socket. */
#define CRIU_SOCKET 3

static const char *program_of(const struct criu_call *call)
{
	return call->program ? call->program : "criu";
}

/* ---- the child ---- */

/* What the child has to say when there will be no CRIU. */
struct report {
	int errnum;	 /* of the exec; 0: see text */
	char text[1024]; /* what else it was */
};

_Noreturn static void give_up(int socket, int errnum, const char *text)
{
	struct report report = {.errnum = errnum};

	snprintf(report.text, sizeof(report.text), "%s", text ? text : "");
	if (send(socket, &report, sizeof(report), MSG_NOSIGNAL) < 0)
		_exit(126);
	_exit(127);
}

/*
 * CRIU takes the directories that it is told by number for those of whoever made the socket's other
 * end. So it is made here: then they are CRIU's own, in its own mount namespace.
 */
static int make_socket(int report)
{
	int pair[2], result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	result = (int)message_send(report, "", 1, &pair[0], 1);
	close(pair[0]);
	return result < 0 ? -1 : pair[1];
}

static int take_null_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			return -1;
	return 0;
}

static int pass_descriptors(const struct criu_call *call, int socket)
{
	if (dup2(socket, CRIU_SOCKET) < 0 ||
	    kernel_close_range(CRIU_SOCKET + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (size_t i = 0; i < call->pass_count; i++)
		if (call->pass[i] >= 0 && fcntl(call->pass[i], F_SETFD, 0) < 0)
			return -1;
	return 0;
}

_Noreturn static void child_main(const struct criu_call *call, int report)
{
	struct error err = ERROR_INIT;
	const char *program = program_of(call);
	int socket;

	kernel_reset_signals();
	if (call->prepare && call->prepare(call->data, &err) < 0)
		give_up(report, 0, error_text(&err));
	socket = make_socket(report);
	if (socket < 0 || (!call->keep_streams && take_null_streams() < 0) ||
	    pass_descriptors(call, socket) < 0)
		give_up(report, errno, NULL);
	execlp(program, "criu", "swrk", "3", (char *)NULL);
	give_up(report, errno, NULL);
}

/* ---- the parent ---- */

struct session {
	pid_t pid;
	int socket;
};

/* Out of the way of CRIU_SOCKET. */
static int raise_fd(int *fd)
{
	int raised = fd_duplicate(*fd, CRIU_SOCKET + 1);

	fd_close(*fd);
	*fd = raised;
	return raised < 0 ? -1 : 0;
}

static int failed_child(const struct criu_call *call, const struct report *report,
			struct error *err)
{
	if (!report->errnum)
		error_set(err, "%s", report->text);
	else if (report->errnum == ENOENT)
		error_set(err, "CRIU is needed for this, and there is no \"%s\"", program_of(call));
	else
		error_errno(err, report->errnum, "Failed to execute \"%s\"", program_of(call));
	err->errnum = report->errnum;
	return -1;
}

/* First comes the socket; the exec closes ours, and then nothing comes. */
static int wait_for_child(const struct criu_call *call, int socket, int *ours, struct error *err)
{
	struct report report;
	ssize_t got;
	int fd;

	while ((got = message_receive_one(socket, &report, sizeof(report), 0, &fd)) > 0) {
		if (got == (ssize_t)sizeof(report))
			return failed_child(call, &report, err);
		fd_close(*ours);
		*ours = fd;
	}
	if (got < 0 || *ours < 0)
		return error_set(err, "Failed to start CRIU");
	return 0;
}

static void session_close(struct session *session)
{
	fd_close(fd_take(&session->socket));
	while (session->pid > 0 && waitpid(session->pid, NULL, 0) < 0 && errno == EINTR)
		;
	session->pid = 0;
}

static int session_open(const struct criu_call *call, struct session *session, struct error *err)
{
	cleanup_close int reader = -1, writer = -1;
	int report[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
		return error_errno(err, errno, "Failed to make a socket pair");
	reader = report[0];
	writer = report[1];
	if (raise_fd(&writer) < 0)
		return error_errno(err, errno, "Failed to duplicate a descriptor");
	session->pid = fork();
	if (session->pid < 0)
		return error_errno(err, errno, "Failed to fork");
	if (session->pid == 0)
		child_main(call, writer);
	close(fd_take(&writer));
	if (wait_for_child(call, reader, &session->socket, err) < 0) {
		session_close(session);
		return -1;
	}
	return 0;
}

static int send_message(int socket, const struct criu_options *message, struct error *err)
{
	if (message->failed)
		return error_errno(err, ENOMEM, "Failed to ask CRIU");
	if (send(socket, message->data, message->size, MSG_NOSIGNAL) != (ssize_t)message->size)
		return error_errno(err, errno, "Failed to ask CRIU");
	return 0;
}

static int receive(int socket, struct criu_response *response, int *fd, struct error *err)
{
	cleanup_free char *data = malloc(MESSAGE_MAX);
	struct message_extra extra = {.fds = fd, .fds_max = 1};
	ssize_t got;

	if (!data)
		return error_errno(err, ENOMEM, "Failed to hear CRIU");
	*fd = -1;
	got = message_receive(socket, data, MESSAGE_MAX, 0, &extra);
	if (got < 0)
		return error_errno(err, errno, "Failed to hear CRIU");
	if (got == 0)
		return error_set(err, "CRIU ended without an answer");
	if (extra.is_cut || criu_response_parse(data, (size_t)got, response) < 0) {
		fd_close(fd_take(fd));
		return error_set(err, "CRIU gave an answer that can't be read");
	}
	return 0;
}

static int answer_event(const struct criu_call *call, const struct session *session,
			const struct criu_response *response, int fd, struct error *err)
{
	cleanup_criu_options struct criu_options message = {0};
	struct error late = ERROR_INIT;
	int result = 0;

	if (call->notify)
		result = call->notify(call->data, response->event, response->pid, fd, err);
	else
		fd_close(fd);
	criu_notify_answer(&message, result == 0);
	/* What made us say no counts more than how CRIU took it. */
	if (send_message(session->socket, &message, result < 0 ? &late : err) < 0)
		result = -1;
	error_clear(&late);
	return result;
}

static int failure(const struct criu_call *call, const struct criu_response *response,
		   struct error *err)
{
	char reason[512];

	if (call->log_directory >= 0 && call->log_file &&
	    criu_log_reason(call->log_directory, call->log_file, reason, sizeof(reason)))
		return error_set(err, "CRIU failed: %s (all of it is in \"%s/%s\")", reason,
				 call->log_path, call->log_file);
	if (response->message[0])
		return error_set(err, "CRIU failed: %s", response->message);
	if (response->error)
		return error_errno(err, response->error, "CRIU failed");
	return error_set(err, "CRIU failed");
}

/* Until the answer, or until CRIU has given up because we did. */
static int converse(const struct criu_call *call, const struct session *session,
		    struct criu_response *response, struct error *err)
{
	struct error ignored = ERROR_INIT;
	bool refused = false;

	for (;;) {
		int fd = -1;

		if (receive(session->socket, response, &fd, refused ? &ignored : err) < 0) {
			/* Its log may know why it died. */
			if (!refused && err->errnum == 0)
				failure(call, &(struct criu_response){0}, err);
			error_clear(&ignored);
			return -1;
		}
		if (response->type != CRIU_NOTIFY || !response->success)
			break;
		if (refused)
			fd_close(fd);
		else if (answer_event(call, session, response, fd, err) < 0)
			refused = true;
	}
	if (refused)
		return -1;
	return response->success ? 0 : failure(call, response, err);
}

int criu_call(const struct criu_call *call, struct criu_answer *answer, struct error *err)
{
	cleanup_criu_options struct criu_options message = {0};
	struct session session = {.socket = -1};
	struct criu_response response = {0};
	int result = -1;

	*answer = (struct criu_answer){0};
	criu_request(&message, call->type, call->options);
	if (session_open(call, &session, err) < 0)
		return -1;
	if (send_message(session.socket, &message, err) == 0)
		result = converse(call, &session, &response, err);
	session_close(&session);
	answer->version = response.version;
	answer->mem_track = response.mem_track;
	answer->lazy_pages = response.lazy_pages;
	answer->pid = response.pid;
	return result;
}

int criu_check_version(const char *program, struct error *err)
{
	const struct criu_call call = {
	    .program = program, .type = CRIU_VERSION, .log_directory = -1};
	struct criu_answer answer;

	if (criu_call(&call, &answer, err) < 0)
		return -1;
	if (answer.version < CRIU_OLDEST)
		return error_set(err, "CRIU %d.%d is too old: 3.16 is the oldest that can be used",
				 answer.version / 10000, answer.version / 100 % 100);
	return 0;
}

static int check_features(const char *program, struct criu_answer *answer, struct error *err)
{
	const struct criu_call call = {
	    .program = program, .type = CRIU_FEATURE_CHECK, .log_directory = -1};

	return criu_call(&call, answer, err);
}

int criu_check_memory_tracking(const char *program, struct error *err)
{
	struct criu_answer answer;

	if (check_features(program, &answer, err) < 0)
		return -1;
	if (!answer.mem_track)
		return error_set(err, "the kernel doesn't tell which memory has changed "
				      "(CONFIG_MEM_SOFT_DIRTY)");
	return 0;
}

int criu_check_lazy_pages(const char *program, struct error *err)
{
	struct criu_answer answer;

	if (check_features(program, &answer, err) < 0)
		return -1;
	if (!answer.lazy_pages)
		return error_set(err, "the kernel, or this CRIU, has no userfaultfd that tells of "
				      "other processes' memory (CONFIG_USERFAULTFD)");
	return 0;
}
