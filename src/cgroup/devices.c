/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.devices: what a container may do with devices. The rules are applied in their
 * order to a model of a cgroup's device list, and what comes out is written: for v1's controller,
 * or for the eBPF program that LXC makes on v2. So both mean the same, and what a list can't hold
 * is refused, where the kernel would leave it out without a word.
 */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

#define ANY (-1)

enum { READ = 1, WRITE = 2, MKNOD = 4, ALL = READ | WRITE | MKNOD };

/* Devices, and what may be done with them. */
struct device_set {
	char type; /* b or c; a rule's also a */
	int64_t major, minor;
	unsigned int access;
};

/* From a rule of config.json: devices[rule]. */
struct exception {
	struct device_set set;
	size_t rule;
};

/* As the kernel has it: all or nothing, and exceptions from that. */
struct device_list {
	bool allows_all;
	size_t count;
	struct exception *exceptions;
};

/*
 * What runc allows every container, behind the rules of config.json, and what images have come to
 * expect: making any device node (using it is another matter), the devices of the specification's
 * default list, pseudoterminals, and tun. (runc 1.2.0 left tun out, and 1.2.4 took it back.) The
 * host's console, 5:1, is not among them: /dev/console is a pseudoterminal.
 */
static const struct device_set always_allowed[] = {
    {'c', ANY, ANY, MKNOD}, {'b', ANY, ANY, MKNOD}, {'c', 1, 3, ALL}, /* null */
    {'c', 1, 8, ALL},						      /* random */
    {'c', 1, 7, ALL},						      /* full */
    {'c', 5, 0, ALL},						      /* tty */
    {'c', 1, 5, ALL},						      /* zero */
    {'c', 1, 9, ALL},						      /* urandom */
    {'c', 136, ANY, ALL},					      /* pts */
    {'c', 5, 2, ALL},						      /* ptmx */
    {'c', 10, 200, ALL},					      /* net/tun */
};
#define DEFAULT_RULE SIZE_MAX

/* ---- text ---- */

#define SET_TEXT_MAX 64

static void number_text(int64_t number, char text[24])
{
	if (number == ANY)
		strcpy(text, "*");
	else
		snprintf(text, 24, "%lld", (long long)number);
}

/* "c 10:229 rw" */
static void set_text(const struct device_set *set, char text[SET_TEXT_MAX])
{
	char major[24], minor[24];

	number_text(set->major, major);
	number_text(set->minor, minor);
	snprintf(text, SET_TEXT_MAX, "%c %s:%s %s%s%s", set->type, major, minor,
		 set->access & READ ? "r" : "", set->access & WRITE ? "w" : "",
		 set->access & MKNOD ? "m" : "");
}

static int64_t number_of(const struct spec_i64 *number)
{
	return number->set && number->value >= 0 ? number->value : ANY;
}

static int read_rule(struct limits *limits, size_t index, struct device_set *set)
{
	const struct spec_device_rule *rule = &limits->resources->devices[index];
	const char *access = rule->access && *rule->access ? rule->access : "rwm";

	if (strlen(access) > 3 || access[strspn(access, "rwm")])
		return limits_error(limits,
				    "devices[%zu].access: \"%.16s\" is not made of r, w and m",
				    index, access);
	*set = (struct device_set){
	    .type = rule->type ? rule->type : 'a',
	    .major = number_of(&rule->major),
	    .minor = number_of(&rule->minor),
	    .access = (strchr(access, 'r') ? READ : 0U) | (strchr(access, 'w') ? WRITE : 0U) |
		      (strchr(access, 'm') ? MKNOD : 0U),
	};
	if (!strchr("abc", set->type))
		return limits_error(limits, "devices[%zu].type: '%c' is none of a, b and c", index,
				    set->type);
	return 0;
}

/* ---- the model ---- */

static bool covers(const struct device_set *wide, const struct device_set *narrow)
{
	return wide->type == narrow->type && (wide->major == ANY || wide->major == narrow->major) &&
	       (wide->minor == ANY || wide->minor == narrow->minor);
}

static bool overlaps(const struct device_set *one, const struct device_set *other)
{
	return one->type == other->type &&
	       (one->major == ANY || other->major == ANY || one->major == other->major) &&
	       (one->minor == ANY || other->minor == ANY || one->minor == other->minor);
}

static void add_exception(struct device_list *list, const struct device_set *set, size_t rule)
{
	for (size_t i = 0; i < list->count; i++) {
		struct exception *exception = &list->exceptions[i];

		if (exception->set.type == set->type && exception->set.major == set->major &&
		    exception->set.minor == set->minor) {
			exception->set.access |= set->access;
			exception->rule = rule;
			return;
		}
	}
	list->exceptions[list->count++] = (struct exception){*set, rule};
}

static int refuse_hole(struct limits *limits, const struct device_list *list,
		       const struct device_set *set, size_t rule, const struct exception *around)
{
	static const char reason[] = "a cgroup's device list can't hold a hole in a range";
	char text[SET_TEXT_MAX], wide[SET_TEXT_MAX];

	set_text(set, text);
	set_text(&around->set, wide);
	if (rule == DEFAULT_RULE)
		return limits_error(limits,
				    "devices[%zu]: it denies \"%s\", but every container may use "
				    "\"%s\": %s",
				    around->rule, wide, text, reason);
	return limits_error(
	    limits, "devices[%zu]: it %s \"%s\", a part of what devices[%zu] %s (\"%s\"): %s", rule,
	    list->allows_all ? "allows" : "denies", text, around->rule,
	    list->allows_all ? "denies" : "allows", wide, reason);
}

/* Takes a set out of the exceptions, whole ones and ranges that it covers. */
static int remove_exceptions(struct limits *limits, struct device_list *list,
			     const struct device_set *set, size_t rule)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct exception exception = list->exceptions[i];

		if (overlaps(set, &exception.set) && (set->access & exception.set.access)) {
			if (!covers(set, &exception.set))
				return refuse_hole(limits, list, set, rule, &exception);
			exception.set.access &= ~set->access;
		}
		if (exception.set.access)
			list->exceptions[kept++] = exception;
	}
	list->count = kept;
	return 0;
}

static int apply_rule(struct limits *limits, struct device_list *list, bool allow,
		      const struct device_set *set, size_t rule)
{
	struct device_set one = *set;
	/* The kernel takes an "a" for everything, whatever numbers and access stand behind it. "a
	 * 10:200 r" must not open all devices: it is a rule for both kinds. */
	const char types[] = {set->type == 'a' ? 'b' : set->type, set->type == 'a' ? 'c' : '\0',
			      '\0'};

	if (set->type == 'a' && set->major == ANY && set->minor == ANY && set->access == ALL) {
		list->allows_all = allow;
		list->count = 0;
		return 0;
	}
	for (const char *type = types; *type; type++) {
		one.type = *type;
		if (allow != list->allows_all)
			add_exception(list, &one, rule);
		else if (remove_exceptions(limits, list, &one, rule))
			return -1;
	}
	return 0;
}

static int build_list(struct limits *limits, struct device_list *list)
{
	const struct spec_resources *resources = limits->resources;
	/* A rule makes two exceptions at most. */
	size_t most = 2 * resources->devices_count + ARRAY_SIZE(always_allowed);

	/* Without a rule, nothing is allowed: a list that says what is allowed need not begin with
	 * "deny everything" (so was runc's GMS-2021-177). */
	*list = (struct device_list){
	    .exceptions = arena_alloc(&limits->settings->arena, most, sizeof(*list->exceptions))};
	if (!list->exceptions)
		return error_errno(limits->err, ENOMEM, "linux.resources");
	for (size_t i = 0; i < resources->devices_count; i++) {
		struct device_set set;

		if (read_rule(limits, i, &set) ||
		    apply_rule(limits, list, resources->devices[i].allow, &set, i))
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(always_allowed); i++) {
		/* Where everything is allowed so is making nodes, but of what is denied. */
		if (list->allows_all && always_allowed[i].access == MKNOD)
			continue;
		if (apply_rule(limits, list, true, &always_allowed[i], DEFAULT_RULE))
			return -1;
	}
	return 0;
}

/* ---- what it comes to ---- */

static int add_line(struct limits *limits, const struct cgroup_hierarchy *hierarchy, bool allow,
		    const char *line)
{
	return limits_add(limits, hierarchy, "devices", "devices",
			  allow ? "devices.allow" : "devices.deny", "%s", line);
}

static int add_list(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		    const struct device_list *list)
{
	if (add_line(limits, hierarchy, list->allows_all, "a"))
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		const struct device_set *set = &list->exceptions[i].set;
		char text[SET_TEXT_MAX];

		/* LXC reads an int; no device has a number that large (12 and 20 bits). */
		if (hierarchy->unified && (set->major > INT_MAX || set->minor > INT_MAX))
			continue;
		set_text(set, text);
		if (add_line(limits, hierarchy, !list->allows_all, text))
			return -1;
	}
	return 0;
}

/*
 * LXC's program compares what is asked for with one rule after the other, and a rule holds for what
 * it names and less. That is right for what is allowed, but denying writing alone would not deny
 * opening for reading and writing. Making a node is always asked for alone.
 */
static int check_for_program(struct limits *limits, const struct device_list *list)
{
	for (size_t i = 0; list->allows_all && i < list->count; i++) {
		const struct exception *exception = &list->exceptions[i];
		unsigned int open = exception->set.access & (READ | WRITE);
		char text[SET_TEXT_MAX];

		if (open != READ && open != WRITE)
			continue;
		set_text(&exception->set, text);
		return limits_error(limits,
				    "devices[%zu]: with cgroup v2, where all else is allowed, "
				    "reading and writing can only be denied together (\"%s\")",
				    exception->rule, text);
	}
	return 0;
}

/* On a kernel without such programs LXC goes on without one. */
static int check_kernel_has_programs(struct limits *limits,
				     const struct cgroup_hierarchy *hierarchy)
{
	cleanup_close int dir = open(hierarchy->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attr = {0};

	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	if (dir < 0 || syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) == 0 ||
	    (errno != EINVAL && errno != ENOSYS && errno != EPERM))
		return 0;
	return limits_error(limits,
			    "devices: they need eBPF programs for cgroup v2, which this kernel "
			    "doesn't have or doesn't let us use: %s",
			    strerror(errno));
}

/* The number of the namespace that the machine was started with is the kernel's ABI
 * (USER_NS_INIT_INO in linux/nsfs.h). */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDU

static bool is_in_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != FIRST_USER_NAMESPACE;
}

int cgroup_settings_add_devices(const struct cgroup_layout *layout,
				const struct spec_resources *resources,
				struct cgroup_settings *settings, struct error *err)
{
	bool unified = layout->mode == CGROUP_UNIFIED;
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, unified ? "" : "devices");
	struct limits limits = {layout, resources, settings, err, NULL, NULL};
	struct device_list list;

	if (build_list(&limits, &list))
		return -1;
	/* As runc: the kernel leaves devices to the host's root. In a user namespace no node of a
	 * device can be made, and the rules of whoever made it hold. */
	if (is_in_user_namespace())
		return 0;
	if (!hierarchy)
		return limits_error(&limits, "devices: no devices cgroup controller on this host");
	/* Where everything is allowed LXC makes no program. */
	if (unified && !(list.allows_all && list.count == 0) &&
	    (check_for_program(&limits, &list) || check_kernel_has_programs(&limits, hierarchy)))
		return -1;
	return add_list(&limits, hierarchy, &list);
}
