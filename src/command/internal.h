/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share with each other, and with nobody else. */
#ifndef RUNLXC_COMMAND_INTERNAL_H
#define RUNLXC_COMMAND_INTERNAL_H

#include <stdint.h>

#include "base/json.h"
#include "command/command.h"

/* `text` quoted for an error; use it inside one statement only. */
#define quoted(text) json_quote(&(struct json_quote){{0}}, text)

/* Go has no NULL for strings: an empty one is one that isn't given. */
static inline bool given(const char *text)
{
	return text && *text;
}

/* ---- fields.c: the Command's fields, by name ---- */

enum command_kind {
	COMMAND_TEXT,	    /* const char * */
	COMMAND_TEXTS,	    /* const char *const *, NULL-terminated */
	COMMAND_FLAG,	    /* int, from a boolean */
	COMMAND_INT,	    /* int */
	COMMAND_I64,	    /* int64_t */
	COMMAND_U32,	    /* uint32_t */
	COMMAND_OBJECT,	    /* a struct inside */
	COMMAND_POINTER,    /* a pointer to a struct */
	COMMAND_LIST,	    /* a pointer to structs, their number at `beside` */
	COMMAND_DEVICE,	    /* int: a letter, as a number or a string */
	COMMAND_SWAPPINESS, /* int64_t, and at `beside` whether it counts */
};

struct command_field {
	const char *name;
	enum command_kind kind;
	size_t offset, beside;
	const struct command_shape *shape; /* of an object or of a list's elements */
};

struct command_shape {
	size_t size, count;
	const struct command_field *fields;
};

extern const struct command_shape command_shape;

/* ---- check.c ---- */

/* Where something is wrong, and where to say so. */
struct command_fault {
	struct error *err;
	char path[192]; /* "mounts[2].source" */
};

/* Sets the path; returns `fault`, so that fault_set(fault_at(…), …) reads well. */
struct command_fault *fault_at(struct command_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "<path>: <reason>". Always -1. */
int fault_set(struct command_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Everything that can be told from a Command alone, but that "id" is there. */
int command_check(const struct runlxc_command *command, struct command_fault *fault);

/* What is wrong with a path, or NULL: missing, not absolute, too long. */
const char *command_path_fault(const char *path);
/* Whether there is a byte below 0x20, or 0x7f. */
bool command_has_control(const char *text);

int command_check_network(const struct runlxc_command_network *network,
			  struct command_fault *fault);
int command_check_resources(const struct runlxc_command_resources *resources,
			    struct command_fault *fault);
int command_check_devices(const struct runlxc_command *command, struct command_fault *fault);
int command_check_process(const struct runlxc_command *command, struct command_fault *fault);
int command_check_lxc(const char *const *lines, struct command_fault *fault);

/* "RLIMIT_NOFILE" for any way to write it, or NULL. */
const char *command_rlimit_name(const char *name);

/* The value of HOSTNAME in the environment, or NULL. */
const char *command_hostname(const struct runlxc_command *command);

/* ---- text.c ---- */

/* How many bytes from the start are UTF-8 (RFC 3629): `length` when all are. */
size_t text_utf8(const char *text, size_t length);

/* ---- view.c: files as the container will see them ---- */

struct view_mount {
	char *target; /* in the container, no symlinks, no leading slash: "etc/passwd" */
	int fd;	      /* its source */
};

/* The root file system with the Command's mounts over it. */
struct view {
	int root;
	const struct runlxc_command *command;
	struct view_mount *mounts;
	size_t count;
};
#define VIEW_INIT                                                                                  \
	{                                                                                          \
		-1, NULL, NULL, 0                                                                  \
	}

/* Opens the root file system and every source; what is missing is an error that names its field. */
int view_open(struct view *view, const struct runlxc_command *command, struct error *err);
void view_close(struct view *view);

enum view_result {
	VIEW_FAILED = -1, /* errno tells why */
	VIEW_FOUND,	  /* *fd is it, opened with O_PATH */
	VIEW_MADE,	  /* a directory that is made for the mounts below it */
	VIEW_SYSTEM,	  /* in a file system that every container gets: not known before it runs */
};
enum view_result view_find(const struct view *view, const char *path, int *fd);

/* The text of a regular file of at most 1 MiB, NULL if it can't be had. The caller frees it. */
char *view_read(const struct view *view, const char *path);

/* Whether one of the Command's mounts is on `path` or above it, and hides what would be there. */
bool view_is_covered(const struct runlxc_command *command, const char *path);

/* ---- users.c: who a process is, by the container's passwd and group ---- */

struct command_user {
	struct arena arena;
	uint32_t uid, gid;
	size_t groups_count;
	uint32_t *groups;
	/* Not NULL where the directory that init will find by the uid alone is another user's. */
	char *home;
};

int command_find_user(const struct view *view, const struct runlxc_command *command,
		      struct command_user *user, struct error *err);

/* ---- building the document ---- */

/*
 * json-c fails only when memory ran out. Then `failed` is set and everything else goes on without
 * effect, so that one place has to look.
 */
struct document {
	const struct runlxc_command *command;
	const struct command_context *context;
	bool failed;
};

/* Both take over `value`; NULL parents and values are memory that ran out. Return `value`. */
struct json_object *document_put(struct document *document, struct json_object *parent,
				 const char *key, struct json_object *value);
struct json_object *document_append(struct document *document, struct json_object *array,
				    struct json_object *value);
void document_put_text(struct document *document, struct json_object *parent, const char *key,
		       const char *text);
void document_put_number(struct document *document, struct json_object *parent, const char *key,
			 int64_t number);
void document_put_bool(struct document *document, struct json_object *parent, const char *key,
		       bool value);
void document_append_text(struct document *document, struct json_object *array, const char *text);
/* A list that ends with NULL. */
void document_put_texts(struct document *document, struct json_object *parent, const char *key,
			const char *const *texts);

/* process: oci_process.c */
int command_put_process(struct document *document, struct json_object *config,
			const struct view *view, struct error *err);
/* mounts: oci_mounts.c */
void command_put_mounts(struct document *document, struct json_object *config);
/* linux: oci_linux.c */
int command_put_linux(struct document *document, struct json_object *config, struct error *err);
/* linux.resources: oci_resources.c */
void command_put_resources(struct document *document, struct json_object *linux_);
/* annotations, from network.interface and lxc_config: annotations.c */
void command_put_annotations(struct document *document, struct json_object *config);

/* "lxc.key = value" in its parts; -1 if it is no such line. Lengths, since the line is not ours. */
struct lxc_line {
	const char *key, *value; /* the key without the leading "lxc." */
	size_t key_length, value_length;
};
int lxc_line_parse(const char *text, struct lxc_line *line);

/* Docker's 14 and what the Command adds and drops, as a NULL-terminated list of names in `arena`;
 * NULL when memory ran out. */
const char *const *command_capabilities(const struct runlxc_command *command, struct arena *arena);

#endif
