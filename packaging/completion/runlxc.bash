# SPDX-License-Identifier: Apache-2.0
# Completion of runlxc(1) for bash. It knows no verb and no flag: it asks the program that is called for its help, and
# so can't be of another version than that.

# Runs the program for what it prints; nothing of the user's terminal or settings gets into that.
_runlxc_ask()
{
	LC_ALL=C ARGP_HELP_FMT='' "$@" </dev/null 2>/dev/null
}

# Reads the help of the program, or with its name of one verb, into the caller's variables: verbs, flags (every
# spelling), takes[flag] (what its value is called, if it has one), says[flag], usage.
_runlxc_read_help()
{
	local line name='' in_verbs=''
	local flag='^  (-(.), |    )--([a-z0-9-]+)(=([^ ]+))?( +(.*))?$'

	verbs=() flags=() takes=() says=() usage=''
	while IFS= read -r line; do
		if [[ $line =~ $flag ]]; then
			name=--${BASH_REMATCH[3]}
			flags+=("$name")
			takes[$name]=${BASH_REMATCH[5]}
			says[$name]=${BASH_REMATCH[7]}
			if [[ ${BASH_REMATCH[2]} ]]; then
				flags+=("-${BASH_REMATCH[2]}")
				takes[-${BASH_REMATCH[2]}]=${takes[$name]}
				says[-${BASH_REMATCH[2]}]=$name
			fi
		elif [[ $line == 'COMMANDS:' ]]; then
			in_verbs=1
		elif [[ $in_verbs && $line =~ ^\ \ \ ([a-z-]+)\  ]]; then
			verbs+=("${BASH_REMATCH[1]}")
		elif [[ $line =~ ^\ \ \ runlxc\ ?[a-z]*\ \[OPTION\.\.\.\]\ ?(.*)$ ]]; then
			usage+=" ${BASH_REMATCH[1]}"
		elif [[ $name && $line =~ ^\ +(.*)$ ]]; then
			says[$name]+=" ${BASH_REMATCH[1]}"
		else
			name=''
		fi
	done < <(_runlxc_ask "$@" --help)
}

# The words that a flag can have as its value, where its description ends with their list: "a (the default), b or c".
_runlxc_choices()
{
	local text=${says[$1]} word='[a-z]+( \(the default\))?'

	[[ $text == --* ]] && text=${says[$text]}
	if [[ $text =~ (^|:\ )($word(, $word)*\ or\ $word)$ ]]; then
		text=${BASH_REMATCH[2]//(the default)/}
		text=${text//,/ }
		printf '%s\n' "${text/ or / }"
	fi
}

_runlxc_complete_value()
{
	case ${takes[$1]} in
	DIR)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	FILE | PATH)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	FORMAT | BOOL | KEY | MODE)
		mapfile -t COMPREPLY < <(compgen -W "$(_runlxc_choices "$1")" -- "$2")
		;;
	*'|'*)
		mapfile -t COMPREPLY < <(compgen -W "${takes[$1]//|/ }" -- "$2")
		;;
	NAMESPACE)
		mapfile -t COMPREPLY < <(compgen -W "${says[$1]##*: }" -- "$2")
		;;
	esac
}

# $1: the verb, $2: how many words stand before the one that is completed, $3: that one.
_runlxc_complete_word()
{
	case $1:$2 in
	create:* | run:* | restore:*) ;; # the id of a container that isn't there yet
	kill:1)
		mapfile -t COMPREPLY < <(compgen -W "$(compgen -A signal SIG | sed 's/^SIG//')" -- "$3")
		;;
	stats:* | *:0)
		if [[ $usage == *ID* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_runlxc_ask "$program" "${root[@]}" list --quiet)" -- "$3")
		fi
		;;
	esac
}

_runlxc()
{
	local program=${COMP_WORDS[0]/#\~\//$HOME/} verb='' flag='' usage word rest=0 count=0 i
	local -a words=() verbs=() flags=() root=()
	local -A takes=() says=()

	# bash takes "--flag=value" for three words.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((${#words[@]})) && [[ ${words[-1]} == --* && $word == = || ${words[-1]} == --*= ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done

	_runlxc_read_help "$program"
	for word in "${words[@]:0:${#words[@]}-1}"; do
		if [[ $flag ]]; then
			[[ $flag == --root ]] && root=(--root "$word")
			flag=''
		elif [[ $word == -- ]]; then
			rest=1
		elif [[ $rest == 0 && $word == -?* ]]; then
			[[ $word == --root=* && ! $verb ]] && root=("$word")
			[[ $word != *=* && ${takes[$word]:-} ]] && flag=$word
		elif [[ ! $verb ]]; then
			verb=$word
			_runlxc_read_help "$program" "$verb"
		else
			count=$((count + 1))
		fi
		# What follows is the command line of another program.
		[[ $verb == exec && $count -ge 2 || $verb == ps && $count -ge 1 ]] && rest=1
	done

	word=${words[-1]}
	COMPREPLY=()
	if [[ $flag ]]; then
		_runlxc_complete_value "$flag" "$word"
	elif [[ $rest == 0 && $word == --*=* ]]; then
		_runlxc_complete_value "${word%%=*}" "${word#*=}"
	elif [[ $rest == 0 && $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${flags[*]}" -- "$word")
	elif [[ ! $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${verbs[*]}" -- "$word")
	elif [[ $rest == 0 ]]; then
		_runlxc_complete_word "$verb" "$count" "$word"
	fi
}

complete -F _runlxc runlxc
