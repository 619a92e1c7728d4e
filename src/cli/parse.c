/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct parse {
	const struct syntax *syntax;
	void *data;
	bool help;
	struct error *err;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		return 0; /* the rewritten line knows them already */
	case ARGP_KEY_INIT:
	case ARGP_KEY_FINI:
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_END:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_ERROR:
		return ARGP_ERR_UNKNOWN;
	case 'h':
		parse->help = true;
		return 0;
	default:
		return parse->syntax->set(key, value, parse->data, parse->err) < 0 ? EINVAL : 0;
	}
}

static struct argp make_argp(const struct syntax *syntax)
{
	return (struct argp){
	    .options = syntax->options,
	    .parser = parse_option,
	};
}

/* In runc's order and with its headings. */
void parse_print_help(const struct syntax *syntax)
{
	struct argp argp = make_argp(syntax);
	const char *words = syntax->words;

	printf("NAME:\n   %s - %s\n\nUSAGE:\n", syntax->name, syntax->summary);
	do {
		const char *end = words ? strchrnul(words, '\n') : "";

		printf("   %s [OPTION...]%s%.*s\n", syntax->name, words ? " " : "",
		       words ? (int)(end - words) : 0, words ? words : "");
		words = words && *end ? end + 1 : NULL;
	} while (words);
	printf("\nOPTIONS:\n");
	argp_help(&argp, stdout, ARGP_HELP_LONG, (char *)syntax->name);
}

static int check_count(const struct syntax *syntax, size_t count, struct error *err)
{
	if (syntax->min_words == syntax->max_words && count != syntax->min_words)
		return error_set(err, "\"%s\" requires exactly %zu argument(s)", syntax->name,
				 syntax->min_words);
	if (count < syntax->min_words)
		return error_set(err, "\"%s\" requires a minimum of %zu argument(s)", syntax->name,
				 syntax->min_words);
	if (count > syntax->max_words)
		return error_set(err, "\"%s\" requires a maximum of %zu argument(s)", syntax->name,
				 syntax->max_words);
	return 0;
}

enum parse_result parse_line(const struct syntax *syntax, int argc, char **argv, void *data,
			     struct flags_line *line, struct error *err)
{
	struct argp argp = make_argp(syntax);
	struct parse parse = {.syntax = syntax, .data = data, .err = err};
	error_t failed;

	if (flags_rewrite(syntax->options, syntax->stop_after, argc, argv, line, err) < 0)
		return PARSE_FAILED;
	failed =
	    argp_parse(&argp, line->argc, line->argv, ARGP_IN_ORDER | ARGP_SILENT, NULL, &parse);
	if (failed) {
		if (!err->message)
			error_errno(err, failed, "%s", syntax->name);
		return PARSE_FAILED;
	}
	if (parse.help) {
		parse_print_help(syntax);
		return PARSE_HELP;
	}
	return check_count(syntax, line->words_count, err) < 0 ? PARSE_FAILED : PARSE_OK;
}
