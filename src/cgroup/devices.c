/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources.devices for v1's device controller. (On v2 LXC makes an eBPF program of the
 * rules.) */
#include "cgroup/cgroup.h"

#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/*
 * What runc allows every container, behind the rules of config.json and in this order, and what
 * images have come to expect: making any device node (using it is another matter), the devices of
 * the specification's default list, and pseudoterminals.
 */
static const char *const always_allowed[] = {
    "c *:* m",	   "b *:* m", "c 1:3 rwm", /* null */
    "c 1:8 rwm",			   /* random */
    "c 1:7 rwm",			   /* full */
    "c 5:0 rwm",			   /* tty */
    "c 1:5 rwm",			   /* zero */
    "c 1:9 rwm",			   /* urandom */
    "c 136:* rwm",			   /* pts */
    "c 5:2 rwm",			   /* ptmx */
};

/* A major or minor number, or "*". */
static void number_text(const struct spec_i64 *number, char *text, size_t size)
{
	if (number->set && number->value != -1)
		snprintf(text, size, "%lld", (long long)number->value);
	else
		snprintf(text, size, "*");
}

static int add_line(struct limits *limits, const struct cgroup_hierarchy *hierarchy, bool allow,
		    const char *line)
{
	return limits_add(limits, hierarchy, "devices", allow ? "devices.allow" : "devices.deny",
			  "%s", line);
}

static int add_rule(struct limits *limits, const struct cgroup_hierarchy *hierarchy, size_t index,
		    bool *everything)
{
	const struct spec_device_rule *rule = &limits->resources->devices[index];
	const char *access = rule->access && *rule->access ? rule->access : "rwm";
	char major[24], minor[24], line[80];
	char types[] = {rule->type, '\0', '\0'};
	bool all;

	if (strlen(access) > 3 || access[strspn(access, "rwm")])
		return limits_error(limits,
				    "devices[%zu].access: \"%.16s\" is not made of r, w and m",
				    index, access);
	if (rule->type == '\0')
		types[0] = 'a';
	if (types[0] != 'a' && types[0] != 'b' && types[0] != 'c')
		return limits_error(limits, "devices[%zu].type: '%c' is none of a, b and c", index,
				    types[0]);
	number_text(&rule->major, major, sizeof(major));
	number_text(&rule->minor, minor, sizeof(minor));
	all = strchr(access, 'r') && strchr(access, 'w') && strchr(access, 'm') &&
	      strcmp(major, "*") == 0 && strcmp(minor, "*") == 0;
	/*
	 * The kernel takes "a" for everything, whatever numbers and access stand behind it. "a
	 * 10:200 r" must not open all devices: it is written as a rule for both kinds.
	 */
	if (types[0] == 'a' && !all)
		strcpy(types, "bc");
	for (const char *type = types; *type; type++) {
		snprintf(line, sizeof(line), "%c %s:%s %s", *type, major, minor, access);
		if (add_line(limits, hierarchy, rule->allow, line))
			return -1;
	}
	/* Everything is allowed from here on, until something is denied. */
	if (types[0] == 'a')
		*everything = rule->allow;
	else if (!rule->allow)
		*everything = false;
	return 0;
}

int limits_devices_v1(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	bool everything = false;

	for (size_t i = 0; i < limits->resources->devices_count; i++) {
		if (add_rule(limits, hierarchy, i, &everything))
			return -1;
	}
	for (size_t i = 0; !everything && i < ARRAY_SIZE(always_allowed); i++) {
		if (add_line(limits, hierarchy, true, always_allowed[i]))
			return -1;
	}
	return 0;
}
