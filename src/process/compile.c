/* SPDX-License-Identifier: Apache-2.0 */
#include "process/process.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/path.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- the buffer ---- */

static size_t reserve(struct plan_buffer *buffer, size_t bytes)
{
	/* 8 bytes: the widest member of anything that is stored. */
	size_t start = (buffer->size + 7) & ~(size_t)7;

	if (start + bytes > buffer->capacity) {
		size_t capacity = (start + bytes) * 2 + 4096;
		char *data = realloc(buffer->data, capacity);

		if (!data) {
			buffer->failed = true;
			return 0;
		}
		memset(data + buffer->capacity, 0, capacity - buffer->capacity);
		buffer->data = data;
		buffer->capacity = capacity;
	}
	buffer->size = start + bytes;
	return start;
}

void plan_buffer_init(struct plan_buffer *buffer)
{
	struct plan *plan;
	int i;

	*buffer = (struct plan_buffer)PLAN_BUFFER_INIT;
	reserve(buffer, sizeof(struct plan));
	if (buffer->failed)
		return;
	plan = plan_head(buffer);
	plan->magic = PLAN_MAGIC;
	plan->sync_fd = plan->start_fd = plan->join_pidfd = plan->join_cgroup_fd = -1;
	plan->sysctl_fd = plan->proc_fd = plan->trace_fd = -1;
	for (i = 0; i < 3; i++)
		plan->stdio_fd[i] = i;
}

void plan_buffer_free(struct plan_buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
}

struct plan *plan_head(struct plan_buffer *buffer)
{
	/* Where not even the head could be had, writes go to a place that nobody reads; the failure
	 * is told when the plan is sealed. */
	static _Thread_local struct plan nowhere;

	return buffer->data ? (struct plan *)(void *)buffer->data : &nowhere;
}

struct plan_list plan_add_items(struct plan_buffer *buffer, const void *items, size_t count,
				size_t item_size)
{
	struct plan_list list = {0, 0};
	size_t start;

	if (!count || buffer->failed)
		return list;
	start = reserve(buffer, count * item_size);
	if (buffer->failed)
		return list;
	memcpy(buffer->data + start, items, count * item_size);
	list.offset = (uint32_t)start;
	list.count = (uint32_t)count;
	return list;
}

plan_string plan_add_string(struct plan_buffer *buffer, const char *text)
{
	return text ? plan_add_items(buffer, text, strlen(text) + 1, 1).offset : 0;
}

struct plan_list plan_add_strings(struct plan_buffer *buffer, char *const *items, size_t count)
{
	cleanup_free plan_string *offsets = calloc(count ? count : 1, sizeof(*offsets));
	size_t i;

	if (!offsets) {
		buffer->failed = true;
		return (struct plan_list){0, 0};
	}
	for (i = 0; i < count; i++)
		offsets[i] = plan_add_string(buffer, items[i]);
	return plan_add_items(buffer, offsets, count, sizeof(*offsets));
}

int process_plan_seal(struct plan_buffer *buffer, struct error *err)
{
	cleanup_close int fd = -1;

	if (buffer->failed || buffer->size > UINT32_MAX)
		return error_errno(err, ENOMEM, "Failed to make the process plan");
	plan_head(buffer)->size = (uint32_t)buffer->size;
	fd = kernel_memfd_create("runlxc-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || path_write_all(fd, buffer->data, buffer->size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return error_errno(err, errno, "Failed to make the process plan");
	return fd_take(&fd);
}

/* ---- capabilities ---- */

int process_capability_from_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	char full[64];
	cap_value_t value;

	/* libcap reads a name out of a longer text ("cap_chown=ep"), up to what can't be in one. */
	if (name[strspn(name, letters)])
		return -1;
	if (strncasecmp(name, "cap_", 4) != 0) {
		if (strlen(name) > sizeof(full) - 5)
			return -1;
		memcpy(full, "cap_", 4);
		strcpy(full + 4, name);
		name = full;
	}
	return cap_from_name(name, &value) < 0 ? -1 : (int)value;
}

/* What of `wanted` we ourselves can pass on: permitted, and not dropped from the bounding set. */
static uint64_t own_capabilities(uint64_t wanted)
{
	cap_t own = cap_get_proc();
	uint64_t mask = 0;
	int cap;

	for (cap = 0; own && cap < 64; cap++) {
		cap_flag_value_t permitted = CAP_CLEAR;

		if (!(wanted & (1ULL << cap)))
			continue;
		if (cap_get_flag(own, cap, CAP_PERMITTED, &permitted) == 0 &&
		    permitted == CAP_SET && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			mask |= 1ULL << cap;
	}
	cap_free(own);
	return mask;
}

static uint64_t names_to_mask(const struct spec_strings *names, const struct log *log)
{
	uint64_t mask = 0;
	size_t i;

	for (i = 0; i < names->count; i++) {
		int cap = process_capability_from_name(names->items[i]);

		if (cap < 0 || cap > 63)
			log_warning(log, "process.capabilities: unknown capability \"%s\" ignored",
				    names->items[i]);
		else
			mask |= 1ULL << cap;
	}
	return mask;
}

static void compile_capabilities(const struct spec_capabilities *capabilities,
				 bool own_user_namespace, const struct log *log, struct plan *plan)
{
	uint64_t have, lost = 0, wanted = 0, ambient, masks[SPEC_CAP_SETS];
	int set, cap;

	for (set = 0; set < SPEC_CAP_SETS; set++) {
		masks[set] = names_to_mask(&capabilities->sets[set], log);
		wanted |= masks[set];
	}
	have = own_user_namespace ? ~0ULL : own_capabilities(wanted);
	for (set = 0; set < SPEC_CAP_SETS; set++) {
		if (set != SPEC_CAP_INHERITABLE && set != SPEC_CAP_AMBIENT)
			lost |= masks[set] & ~have;
		plan->capabilities[set] = masks[set] & have;
	}
	for (cap = 0; cap < 64; cap++)
		if (lost & (1ULL << cap)) {
			char *name = cap_to_name(cap), *letter;

			for (letter = name; letter && *letter; letter++)
				*letter = (char)toupper((unsigned char)*letter);
			log_warning(
			    log,
			    "process.capabilities: %s can't be given, as runlxc was started "
			    "without it; going on without it",
			    name ? name : "one");
			cap_free(name);
		}
	/* The kernel raises an ambient capability only if it is permitted and inheritable; some
	 * engines (buildah) list more, and runc goes on without those. */
	ambient = plan->capabilities[SPEC_CAP_AMBIENT];
	plan->capabilities[SPEC_CAP_AMBIENT] = ambient & plan->capabilities[SPEC_CAP_PERMITTED] &
					       plan->capabilities[SPEC_CAP_INHERITABLE];
	/* What is effective must be permitted; capset(2) would refuse the whole. */
	plan->capabilities[SPEC_CAP_EFFECTIVE] &= plan->capabilities[SPEC_CAP_PERMITTED];
	plan->capabilities[SPEC_CAP_INHERITABLE] &=
	    plan->capabilities[SPEC_CAP_PERMITTED] | plan->capabilities[SPEC_CAP_BOUNDING];
	plan->flags |= PLAN_CAPABILITIES;
	if (plan->capabilities[SPEC_CAP_EFFECTIVE] &
	    (1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH))
		plan->flags |= PLAN_CAP_OVERRIDE;
}

/* ---- the process ---- */

static const char *last_value(const struct spec_strings *env, const char *name)
{
	size_t length = strlen(name), i;

	for (i = env->count; i > 0; i--)
		if (strncmp(env->items[i - 1], name, length) == 0 &&
		    env->items[i - 1][length] == '=')
			return env->items[i - 1] + length + 1;
	return NULL;
}

/* Of a variable that is there twice the last one holds, as with runc; a program would take the
 * first. */
static size_t without_repeats(const struct spec_strings *env, char **items)
{
	size_t count = 0, i, j;

	for (i = 0; i < env->count; i++) {
		const char *equals = strchr(env->items[i], '=');
		size_t length = equals ? (size_t)(equals - env->items[i]) + 1 : 0;

		for (j = i + 1; length && j < env->count; j++)
			if (strncmp(env->items[i], env->items[j], length) == 0)
				break;
		if (!length || j == env->count)
			items[count++] = env->items[i];
	}
	return count;
}

/* HOME is looked up when it is missing, and also when it is there but empty, as runc does. */
static int compile_environment(const struct spec_process *process, struct plan_buffer *buffer,
			       struct error *err)
{
	cleanup_free char **items = calloc(process->env.count + 1, sizeof(*items));
	size_t count;
	const char *home = last_value(&process->env, "HOME");
	const char *path = last_value(&process->env, "PATH");
	struct plan_list env;
	plan_string path_string;

	if (!items)
		return error_errno(err, ENOMEM, "Failed to make the process plan");
	count = without_repeats(&process->env, items);
	env = plan_add_strings(buffer, items, count);
	path_string = plan_add_string(buffer, path ? path : DEFAULT_PATH);
	plan_head(buffer)->env = env;
	plan_head(buffer)->path = path_string;
	if (!home || !*home)
		plan_head(buffer)->flags |= PLAN_SET_HOME;
	return 0;
}

int process_compile(const struct spec_process *process, bool own_user_namespace,
		    const struct log *log, struct plan_buffer *buffer, struct error *err)
{
	const struct spec_user *user = &process->user;
	struct plan_list list;
	plan_string text;

	if (compile_environment(process, buffer, err) < 0)
		return -1;
	list = plan_add_strings(buffer, process->args.items, process->args.count);
	plan_head(buffer)->args = list;
	list = plan_add_items(buffer, user->additional_gids, user->additional_gids_count,
			      sizeof(uint32_t));
	plan_head(buffer)->groups = list;
	text = plan_add_string(buffer, process->cwd ? process->cwd : "/");
	plan_head(buffer)->cwd = text;

	if (process_check_labels(process, err) < 0)
		return -1;
	if (process->apparmor_profile && *process->apparmor_profile &&
	    strcmp(process->apparmor_profile, "unconfined") != 0) {
		text = plan_add_string(buffer, process->apparmor_profile);
		plan_head(buffer)->apparmor = text;
	}
	if (process->selinux_label && *process->selinux_label) {
		text = plan_add_string(buffer, process->selinux_label);
		plan_head(buffer)->selinux = text;
	}

	plan_head(buffer)->uid = user->uid;
	plan_head(buffer)->gid = user->gid;
	plan_head(buffer)->umask = user->umask;
	plan_head(buffer)->console_height = process->console_height;
	plan_head(buffer)->console_width = process->console_width;
	if (user->umask_set)
		plan_head(buffer)->flags |= PLAN_UMASK;
	if (process->terminal)
		plan_head(buffer)->flags |= PLAN_TERMINAL;
	if (process->no_new_privileges)
		plan_head(buffer)->flags |= PLAN_NO_NEW_PRIVS;
	/* Without the field a process has none: runc's reading of the specification. */
	compile_capabilities(&process->capabilities, own_user_namespace, log, plan_head(buffer));
	return 0;
}

int process_compile_hooks(const struct spec_hooks *hooks, const char *state,
			  struct plan_buffer *buffer, struct error *err)
{
	/* With its key, which no value can hold: an id may be any number. */
	const char *field = strstr(state, "\"pid\":" PROCESS_STATE_PID);
	const char *mark = field ? field + strlen("\"pid\":") : NULL;
	cleanup_free struct plan_hook *items = calloc(hooks->count + 1, sizeof(*items));
	cleanup_free char *head = mark ? strndup(state, (size_t)(mark - state)) : NULL;
	struct plan_list list;
	plan_string text;
	size_t i;

	if (!hooks->count)
		return 0;
	if (!items || !head)
		return error_errno(err, ENOMEM, "Failed to make the process plan");
	for (i = 0; i < hooks->count; i++) {
		const struct spec_hook *hook = &hooks->items[i];

		items[i].path = plan_add_string(buffer, hook->path);
		items[i].args = plan_add_strings(buffer, hook->args.items, hook->args.count);
		items[i].env = plan_add_strings(buffer, hook->env.items, hook->env.count);
		items[i].inherits_env = hook->inherits_env;
		items[i].timeout = !hook->timeout.set		   ? -1
				   : hook->timeout.value > 1000000 ? 1000000
								   : (int32_t)hook->timeout.value;
	}
	list = plan_add_items(buffer, items, hooks->count, sizeof(*items));
	plan_head(buffer)->start_hooks = list;
	text = plan_add_string(buffer, head);
	plan_head(buffer)->state_head = text;
	text = plan_add_string(buffer, mark + strlen(PROCESS_STATE_PID));
	plan_head(buffer)->state_tail = text;
	return 0;
}
