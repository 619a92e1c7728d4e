/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that uses the library, for the tests where threads, signal handlers or the structs
 * themselves matter. Each subcommand prints what it saw; tests/library/ judges.
 */
#include <runlxc/runlxc.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const environment[] = {"PATH=/bin", NULL};

_Noreturn static void fail(const char *what, struct runlxc_error *err)
{
	printf("%s: %s\n", what, err && err->message ? err->message : "failed");
	if (err)
		runlxc_error_clear(err);
	exit(1);
}

static struct runlxc *open_driver(const char *root)
{
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc *driver = runlxc_open(root, &err);

	if (!driver)
		fail("open", &err);
	return driver;
}

/* A shell with a script: "sh", "-c", script. */
struct script {
	const char *arguments[3];
	struct runlxc_command command;
};

static const struct runlxc_command *script_command(struct script *script, const char *rootfs,
						   const char *id, const char *text)
{
	*script =
	    (struct script){.arguments = {"-c", text, NULL},
			    .command = {.id = id, .rootfs = rootfs, .network.host_networking = 1}};
	script->command.process_config = (struct runlxc_command_process){
	    .entrypoint = "sh", .arguments = script->arguments, .env = environment};
	return &script->command;
}

static int name(char *arguments[])
{
	struct runlxc *driver = open_driver(arguments[0]);

	puts(runlxc_name(driver));
	runlxc_close(driver);
	return 0;
}

/* ROOT ROOTFS FIELD: a Command without it. */
static int lacking(char *arguments[])
{
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc *driver = open_driver(arguments[0]);
	struct script script;
	struct runlxc_exit how;

	script_command(&script, arguments[1], "lacking", "true");
	if (strcmp(arguments[2], "network") == 0)
		script.command.network.host_networking = 0;
	else if (strcmp(arguments[2], "id") == 0)
		script.command.id = NULL;
	else if (strcmp(arguments[2], "rootfs") == 0)
		script.command.rootfs = NULL;
	else
		script.command.process_config.entrypoint = NULL;
	if (runlxc_command_run(driver, &script.command, NULL, &how, &err) == 0)
		fail("it ran", NULL);
	puts(err.message);
	runlxc_error_clear(&err);
	runlxc_close(driver);
	return 1;
}

/* ROOT ROOTFS ID: with ever more descriptors. Prints the last limit at which it failed, and the
 * first at which it worked. */
static int descriptors(char *arguments[])
{
	struct runlxc *driver = open_driver(arguments[0]);
	struct rlimit before, limit;
	struct script script;
	int failed = 0, worked = 0;

	script_command(&script, arguments[1], arguments[2], "exit 3");
	getrlimit(RLIMIT_NOFILE, &before);
	for (limit = before, limit.rlim_cur = 3; !worked; limit.rlim_cur++) {
		const struct runlxc_io io = {-1, RUNLXC_STREAM_PIPE, -1, NULL, NULL};
		struct runlxc_error err = RUNLXC_ERROR_INIT;
		struct runlxc_exit how = {-1, 0, 0};

		if (limit.rlim_cur > 200)
			fail("it never worked", NULL);
		setrlimit(RLIMIT_NOFILE, &limit);
		if (runlxc_command_run(driver, &script.command, &io, &how, &err) == 0) {
			if (how.status != 3)
				fail("it ended otherwise", NULL);
			worked = (int)limit.rlim_cur;
		} else if (!err.message) {
			fail("no message", NULL);
		} else {
			failed = (int)limit.rlim_cur;
		}
		runlxc_error_clear(&err);
		setrlimit(RLIMIT_NOFILE, &before);
		if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
			fail("a child is left", NULL);
	}
	printf("failed at %d, worked at %d\n", failed, worked);
	runlxc_close(driver);
	return 0;
}

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	struct runlxc *driver;
	const char *rootfs, *prefix;
	int number, count, done;
};

static int wait_for(struct runlxc_process *process, int status, struct runlxc_error *err)
{
	struct runlxc_exit how;
	int result = runlxc_process_wait(process, &how, err);

	runlxc_process_free(process);
	if (result < 0)
		fail("wait", err);
	if (how.status != status) {
		printf("ended with %d, not %d\n", how.status, status);
		exit(1);
	}
	return 0;
}

/* One container's life: started, another process in it, killed, gone. */
static void one_life(const struct worker *worker, const char *id)
{
	struct runlxc_exec_options exec = {
	    .command = {.entrypoint = "sh", .arguments = (const char *[]){"-c", "exit 5", NULL}}};
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc_process *process, *other;
	struct runlxc_info info;
	struct script script;

	process = runlxc_command_start(
	    worker->driver, script_command(&script, worker->rootfs, id, "sleep 1000"), NULL, &err);
	if (!process)
		fail("start", &err);
	other = runlxc_exec(worker->driver, id, &exec, NULL, &err);
	if (!other)
		fail("exec", &err);
	wait_for(other, 5, &err);
	if (runlxc_kill(worker->driver, id, SIGKILL, 0, &err) < 0)
		fail("kill", &err);
	wait_for(process, 128 + SIGKILL, &err);
	/* The end of its process has deleted it. */
	if (runlxc_delete(worker->driver, id, 0, &err) == 0)
		fail("it wasn't deleted", NULL);
	runlxc_error_clear(&err);
	if (runlxc_delete(worker->driver, id, 1, &err) < 0 ||
	    runlxc_info(worker->driver, id, &info, &err) < 0 || info.running)
		fail("delete", &err);
}

static void *work(void *data)
{
	struct worker *worker = data;
	char id[64];

	for (; worker->done < worker->count; worker->done++) {
		snprintf(id, sizeof(id), "%s-%d-%d", worker->prefix, worker->number, worker->done);
		one_life(worker, id);
	}
	return NULL;
}

/* ROOT ROOTFS PREFIX THREADS COUNT: so many containers in each of so many threads. */
static int threads(char *arguments[])
{
	int number = atoi(arguments[3]), done = 0, i;
	struct worker *workers = calloc((size_t)number, sizeof(*workers));
	struct runlxc *driver = open_driver(arguments[0]);

	for (i = 0; i < number; i++) {
		workers[i] = (struct worker){.driver = driver,
					     .rootfs = arguments[1],
					     .prefix = arguments[2],
					     .number = i,
					     .count = atoi(arguments[4])};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			fail("pthread_create", NULL);
	}
	for (i = 0; i < number; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
	}
	free(workers);
	runlxc_close(driver);
	printf("%d\n", done);
	return 0;
}

/* ROOT ROOTFS ID: a container and a process in it, started by a thread that ends. */
static void *start_and_end(void *data)
{
	struct runlxc_exec_options exec = {
	    .command = {.entrypoint = "sleep", .arguments = (const char *[]){"1000", NULL}}};
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc_process **processes = data;
	char **arguments = *(char ***)data;
	struct runlxc *driver = open_driver(arguments[0]);
	struct script script;

	processes[0] = runlxc_command_start(
	    driver, script_command(&script, arguments[1], arguments[2], "sleep 1000"), NULL, &err);
	if (!processes[0])
		fail("start", &err);
	processes[1] = runlxc_exec(driver, arguments[2], &exec, NULL, &err);
	if (!processes[1])
		fail("exec", &err);
	processes[2] = (struct runlxc_process *)driver;
	return NULL;
}

static int thread_ends(char *arguments[])
{
	struct runlxc_process *processes[3] = {(struct runlxc_process *)arguments};
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc_exit how;
	pthread_t thread;
	int i;

	pthread_create(&thread, NULL, start_and_end, processes);
	pthread_join(thread, NULL);
	for (i = 0; i < 2; i++)
		if (runlxc_process_dispatch(processes[i], &how, &err) != 0)
			fail("it ended with its thread", &err);
	for (i = 1; i >= 0; i--) {
		if (runlxc_process_signal(processes[i], SIGTERM + (i ? 0 : SIGKILL - SIGTERM),
					  &err) < 0)
			fail("signal", &err);
		wait_for(processes[i], 128 + (i ? SIGTERM : SIGKILL), &err);
	}
	runlxc_close((struct runlxc *)processes[2]);
	puts("lived on");
	return 0;
}

/* ---- signals ---- */

static volatile sig_atomic_t children, pipes;

static void count_signal(int sig)
{
	if (sig == SIGCHLD)
		children++;
	else
		pipes++;
}

struct signals {
	struct sigaction actions[65];
	sigset_t mask;
};

static void note_signals(struct signals *signals)
{
	int sig;

	for (sig = 1; sig < 65; sig++)
		sigaction(sig, NULL, &signals->actions[sig]);
	pthread_sigmask(SIG_BLOCK, NULL, &signals->mask);
}

static int same_set(const sigset_t *a, const sigset_t *b)
{
	int sig, same = 1;

	for (sig = 1; sig < 65; sig++)
		same &= sigismember(a, sig) == sigismember(b, sig);
	return same;
}

/* Member by member: the C library leaves some of a struct unset. */
static int same_signals(const struct signals *a, const struct signals *b)
{
	int sig, same = same_set(&a->mask, &b->mask);

	for (sig = 1; sig < 65; sig++)
		same &= a->actions[sig].sa_handler == b->actions[sig].sa_handler &&
			a->actions[sig].sa_flags == b->actions[sig].sa_flags &&
			same_set(&a->actions[sig].sa_mask, &b->actions[sig].sa_mask);
	return same;
}

/* ROOT ROOTFS ID: everything that has to do with signals is as it was, whatever is done. */
static int signals(char *arguments[])
{
	struct sigaction action = {.sa_handler = count_signal};
	struct runlxc *driver = open_driver(arguments[0]);
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct signals before = {0}, after = {0};
	struct script script;
	struct runlxc_exit how;
	struct worker worker = {.driver = driver, .rootfs = arguments[1]};
	sigset_t blocked;

	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	note_signals(&before);

	one_life(&worker, arguments[2]);
	script_command(&script, arguments[1], arguments[2],
		       "awk '/^Sig(Blk|Ign|Pnd)/ && $2 !~ /^0*$/' /proc/self/status; exit 4");
	if (runlxc_command_run(driver, &script.command,
			       &(struct runlxc_io){.input = -1, .output = 1, .error = 2}, &how,
			       &err) < 0)
		fail("run", &err);
	script.command.process_config.entrypoint = "/no/such";
	if (runlxc_command_run(driver, &script.command, NULL, &how, &err) == 0)
		fail("it ran", NULL);
	runlxc_error_clear(&err);

	note_signals(&after);
	puts(same_signals(&before, &after) ? "unchanged" : "changed");
	puts(children > 0 ? "SIGCHLD came" : "SIGCHLD was lost");
	puts(pipes == 0 ? "no SIGPIPE" : "SIGPIPE came");
	runlxc_close(driver);
	return 0;
}

/* ROOT ROOTFS ID: who reads a terminal's output has gone. */
static int reader_gone(char *arguments[])
{
	struct sigaction action = {.sa_handler = count_signal};
	struct runlxc_error err = RUNLXC_ERROR_INIT;
	struct runlxc *driver = open_driver(arguments[0]);
	struct runlxc_process *process;
	struct runlxc_io io = {-1, -1, -1, NULL, NULL};
	struct script script;
	int pair[2];

	sigaction(SIGPIPE, &action, NULL);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return 1;
	io.output = pair[1];
	script_command(&script, arguments[1], arguments[2],
		       "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done; exit 6");
	script.command.process_config.tty = 1;
	process = runlxc_command_start(driver, &script.command, &io, &err);
	if (!process)
		fail("start", &err);
	close(pair[0]);
	close(pair[1]);
	wait_for(process, 6, &err);
	puts(pipes == 0 ? "no SIGPIPE" : "SIGPIPE came");
	/* Its own still reach the caller. */
	raise(SIGPIPE);
	puts(pipes == 1 ? "its own came" : "its own was lost");
	runlxc_close(driver);
	return 0;
}

/* ---- the structs, for those who write them in another language ---- */

#define SIZE(type) printf(#type " %zu\n", sizeof(struct type))
#define PLACE(type, member) printf(#type "." #member " %zu\n", offsetof(struct type, member))

static int structs(char *arguments[])
{
	(void)arguments;
	SIZE(runlxc_error);
	SIZE(runlxc_exit);
	SIZE(runlxc_io);
	SIZE(runlxc_info);
	SIZE(runlxc_create_options);
	SIZE(runlxc_command_process);
	SIZE(runlxc_exec_options);
	PLACE(runlxc_error, message);
	PLACE(runlxc_exit, oom_killed);
	PLACE(runlxc_io, started);
	PLACE(runlxc_info, oom_kills);
	PLACE(runlxc_create_options, preserve_fds);
	PLACE(runlxc_create_options, lxc_monitor);
	PLACE(runlxc_command_process, env);
	PLACE(runlxc_exec_options, command);
	PLACE(runlxc_exec_options, no_new_privs);
	PLACE(runlxc_exec_options, ignore_paused);
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char *arguments[]);
	} table[] = {
	    {"name", 1, name},
	    {"lacking", 3, lacking},
	    {"descriptors", 3, descriptors},
	    {"threads", 5, threads},
	    {"thread-ends", 3, thread_ends},
	    {"signals", 3, signals},
	    {"reader-gone", 3, reader_gone},
	    {"structs", 0, structs},
	};
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, argv[1]) == 0 && argc - 2 == table[i].arguments)
			return table[i].run(argv + 2);
	return 2;
}
