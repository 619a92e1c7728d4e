/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flags.h"

#include <stdbool.h>
#include <string.h>

/* The flags of the line under construction; the words are gathered beside them. */
struct rewriter {
	const struct argp_option *options;
	struct flags_line *line;
	char **flags;
	size_t flags_count;
	char **next; /* the first word of argv that wasn't looked at yet */
	struct error *err;
};

static const struct argp_option *find_long(const struct argp_option *options, const char *name,
					   size_t length)
{
	for (const struct argp_option *option = options; option->name; option++) {
		if (strncmp(option->name, name, length) == 0 && option->name[length] == '\0')
			return option;
	}
	return NULL;
}

static const struct argp_option *find_short(const struct argp_option *options, char letter)
{
	/* Keys beyond ASCII belong to flags that have a long name only. */
	for (const struct argp_option *option = options; option->name; option++) {
		if (option->key > ' ' && option->key < 127 && option->key == letter)
			return option;
	}
	return NULL;
}

/* What Go's strconv.ParseBool takes. -1: neither. */
static int parse_boolean(const char *text)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0)
			return 1;
		if (strcmp(text, no[i]) == 0)
			return 0;
	}
	return -1;
}

static int add_flag(struct rewriter *rewriter, char *flag)
{
	if (!flag)
		return error_set(rewriter->err, "out of memory");
	rewriter->flags[rewriter->flags_count++] = flag;
	return 0;
}

/* As in Go the last one counts: "--detach --detach=false" is no --detach. */
static void drop_flag(struct rewriter *rewriter, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < rewriter->flags_count; i++) {
		if (strcmp(rewriter->flags[i] + strlen("--"), name) != 0)
			rewriter->flags[kept++] = rewriter->flags[i];
	}
	rewriter->flags_count = kept;
}

/* Adds one flag. `value` is what stood behind "=", or NULL; `word` is what errors call the flag. */
static int take_flag(struct rewriter *rewriter, const struct argp_option *option, const char *value,
		     const char *word)
{
	struct arena *arena = &rewriter->line->arena;

	if (option->arg) {
		if (!value) {
			value = *rewriter->next;
			if (!value)
				return error_set(rewriter->err, "flag needs an argument: %s", word);
			rewriter->next++;
		}
		return add_flag(rewriter, arena_printf(arena, "--%s=%s", option->name, value));
	}
	if (value) {
		int on = parse_boolean(value);

		if (on < 0)
			return error_set(rewriter->err, "invalid boolean value \"%s\" for --%s",
					 value, option->name);
		if (!on) {
			drop_flag(rewriter, option->name);
			return 0;
		}
	}
	return add_flag(rewriter, arena_printf(arena, "--%s", option->name));
}

/*
 * "-b", "-b=X", "-dt". Every letter must be a flag and only the last one may take a value, which is
 * never glued to it: "-bundel" is a mistyped --bundle and not a bundle named "undel".
 */
static int take_cluster(struct rewriter *rewriter, const char *word, size_t length)
{
	const char *value = word[1 + length] == '=' ? word + 1 + length + 1 : NULL;

	for (size_t i = 0; i < length; i++) {
		const struct argp_option *option = find_short(rewriter->options, word[1 + i]);

		if (!option || (option->arg && i + 1 < length))
			return error_set(rewriter->err, "flag provided but not defined: %s", word);
	}
	for (size_t i = 0; i < length; i++) {
		const struct argp_option *option = find_short(rewriter->options, word[1 + i]);

		if (take_flag(rewriter, option, i + 1 < length ? NULL : value, word) < 0)
			return -1;
	}
	return 0;
}

static int take_dashed(struct rewriter *rewriter, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	const struct argp_option *option = find_long(rewriter->options, name, length);

	if (option)
		return take_flag(rewriter, option, name[length] == '=' ? name + length + 1 : NULL,
				 word);
	if (word[1] != '-' && length > 0)
		return take_cluster(rewriter, word, length);
	return error_set(rewriter->err, "flag provided but not defined: %s", word);
}

/* Puts the flags, a "--" and the words into one argv. */
static void join(struct rewriter *rewriter, char *name, char **words, size_t count)
{
	struct flags_line *line = rewriter->line;
	char **out = line->argv;

	*out++ = name;
	memcpy(out, rewriter->flags, rewriter->flags_count * sizeof(*out));
	out += rewriter->flags_count;
	*out++ = (char *)"--";
	line->words = out;
	line->words_count = count;
	memcpy(out, words, count * sizeof(*out));
	out[count] = NULL;
	line->argc = (int)(out + count - line->argv);
}

int flags_rewrite(const struct argp_option *options, size_t stop_after, int argc, char **argv,
		  struct flags_line *line, struct error *err)
{
	struct rewriter rewriter = {.options = options, .line = line, .err = err};
	size_t count = 0, before_dashes = 0, most = 0;
	bool dashes = false;
	char **words;

	/* A word makes at most as many flags as it has letters. */
	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]) + 1;
	rewriter.flags = arena_alloc(&line->arena, most + 1, sizeof(char *));
	words = arena_alloc(&line->arena, (size_t)argc + 1, sizeof(char *));
	if (!rewriter.flags || !words)
		return error_set(err, "out of memory");

	rewriter.next = argc > 0 ? argv + 1 : argv;
	while (*rewriter.next) {
		char *word = *rewriter.next++;

		if (dashes || (stop_after && count >= stop_after) || word[0] != '-' || !word[1]) {
			words[count++] = word;
		} else if (strcmp(word, "--") == 0) {
			dashes = true;
			before_dashes = count;
		} else if (take_dashed(&rewriter, word) < 0) {
			return -1;
		}
	}
	line->words_before_dashes = dashes ? before_dashes : count;

	line->argv = arena_alloc(&line->arena, rewriter.flags_count + count + 3, sizeof(char *));
	if (!line->argv)
		return error_set(err, "out of memory");
	join(&rewriter, argc > 0 ? argv[0] : (char *)"runlxc", words, count);
	return 0;
}

void flags_line_free(struct flags_line *line)
{
	arena_free(&line->arena);
	*line = (struct flags_line)FLAGS_LINE_INIT;
}
